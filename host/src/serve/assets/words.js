// What the page says, in English and Korean.

const WORDS = {
  en: {
    "good": "OK", "unknown": "Unknown", "lost": "No signal", "connecting": "Connecting",
    "kind-class": "part", "kind-defect": "defect", "kind-unknown": "like nothing that was taught",
    "flawed": "Flaw", "kind-flawed": "a place like none of the good parts",
    "unclear": "Too close to call", "kind-unclear": "two classes are equally near",
    "undecided": "Looking…", "kind-undecided": "the frames do not agree yet",
    "votes": "{votes} of {frames} frames", "alone": "this frame alone: {word}",
    "waiting": "Waiting", "empty": "Teach me", "trouble": "No picture",
    "empty-detail": "Name a part and hold the button while it is in view",
    "lost-detail": "The device does not answer. Trying again…",
    "connecting-detail": "The device is being started",
    "like": "most like {name}", "ms": "{ms} ms",
    "distances": "This frame", "distances-hint": "distance: shorter is more alike",
    "no-distances": "Nothing to compare with yet",
    "novelty": "Unusual",
    "drift": "Light or camera have changed.", "recenter": "Take it as the new usual", "recentered": "This is the new usual",
    "uncenter": "Back to the usual of teaching", "uncentered": "Light and camera count as when the parts were taught",
    "role": "What {name} stands for", "role-plain": "a part", "role-good": "good", "role-defect": "a defect",
    "shift": "This shift", "since": "since {time}", "total": "frames", "undecided-count": "Undecided",
    "since-voting": "since {time}, by {agree} of {window} frames",
    "counted": "Each frame counts as what was decided of it",
    "counted-voting": "Each frame counts as what the large word said with it; the CSV has the frame's own decision, too",
    "report": "Report", "csv": "CSV", "new-shift": "New shift", "shift-begun": "A new shift has begun",
    "teach": "Teach", "name": "Name of the part", "name-hint": "nut, scratch, …",
    "hold": "Hold to teach", "holding": "Teaching…", "shots": "{n} of {most} shots",
    "hold-hint": "each moment adds a shot",
    "refused-looks-like": "A frame looks like {other} and was not added to {name}.",
    "refused-outlier": "A frame is unlike the other shots of {name} and was not added.",
    "left-looks-like": "left out: looks like {other}", "left-outlier": "left out: unlike the others",
    "left-same": "the same as before: move or turn the part",
    "not-apart": "{one} and {other} are not told apart ({mistaken} of {shots})",
    "confused": "{one} and {other} are sometimes confused ({mistaken} of {shots})",
    "all-same": "The shots of {name} are all but the same: move the part while teaching, or others will be unknown",
    "anyway": "Enrol anyway", "leave-out": "Leave it out", "added": "Added to {name}",
    "undo": "Undo", "undo-enroll": "Undo {n} shots of {name}", "undo-enroll-1": "Undo 1 shot of {name}",
    "undo-role": "Make {name} {role} again", "undo-rename": "Undo the new name {name}",
    "undo-remove": "Bring {name} back", "undone": "Undone",
    "watch-only": "Watching only. To teach, open the address with the token that sudal serve printed.",
    "classes": "Classes", "room": "{n} of {most}", "none": "None yet",
    "rename": "Rename {name}", "remove": "Remove {name}", "removed": "{name} was removed",
    "other-model": "of another model",
    "history": "History", "no-history": "Decisions appear here",
    "stay": "Stay", "go-on": "Go on", "next": "Next part",
    "keys": "Keys", "close": "Close",
    "server-lost": "The server does not answer. Trying again…",
    "unlogged": "The log can't be written: {n} decisions wait in memory and are lost if the program ends. {why}",
    "unlogged-lost": "The log can't be written: {n} decisions wait in memory, {lost} older ones are lost. {why}",
    "need-name": "Give the part a name first",
    "key-hold": "hold: teach the chosen name", "key-choose": "choose a class by its number",
    "key-name": "write a name", "key-undo": "undo",
    "key-anyway": "enrol the refused frame anyway", "key-leave": "leave it out", "key-device": "other device",
    "key-stay": "stay with this part, go on", "key-next": "next part", "key-lang": "한국어",
    "key-help": "this list",
    "space": "Space", "escape": "Esc", "live": "What the camera sees",
    "cropped": "The dark edge is not looked at", "devices": "Devices",
    "e-dark": "Too dark", "e-bright": "Too bright", "e-flat": "Nothing to see",
    "e-no-frame": "No frame yet", "e-picture": "Bad picture",
    "x-dark": "Is the lens covered, or the light off?",
    "x-bright": "Turn the light or the exposure down.",
    "x-flat": "All of the frame has one level.",
    "x-no-frame": "The camera was not shown anything.",
  },
  ko: {
    "good": "정상", "unknown": "미등록", "lost": "신호 없음", "connecting": "연결 중",
    "kind-class": "부품", "kind-defect": "불량", "kind-unknown": "배운 것과 다름",
    "flawed": "흠 있음", "kind-flawed": "정상품에 없는 곳이 있음",
    "unclear": "구별 안 됨", "kind-unclear": "두 클래스와 똑같이 비슷함",
    "undecided": "확인 중…", "kind-undecided": "프레임 판정이 아직 엇갈림",
    "votes": "{frames}프레임 중 {votes}", "alone": "이 프레임만: {word}",
    "waiting": "대기 중", "empty": "학습 필요", "trouble": "영상 없음",
    "empty-detail": "부품 이름을 쓰고, 화면에 보이는 동안 버튼을 누르고 계세요",
    "lost-detail": "장치가 응답하지 않습니다. 다시 시도합니다…",
    "connecting-detail": "장치를 시작하고 있습니다",
    "like": "가장 비슷한 것: {name}", "ms": "{ms} ms",
    "distances": "이 프레임", "distances-hint": "거리: 짧을수록 비슷함",
    "no-distances": "아직 비교할 것이 없습니다",
    "novelty": "낯섦",
    "drift": "조명이나 카메라가 달라졌습니다.", "recenter": "지금 상태를 기준으로", "recentered": "새 기준으로 삼았습니다",
    "uncenter": "학습 때 기준으로 돌아가기", "uncentered": "조명과 카메라를 학습 때와 같은 것으로 봅니다",
    "role": "{name}의 뜻", "role-plain": "부품", "role-good": "정상", "role-defect": "불량",
    "shift": "이번 근무", "since": "{time}부터", "total": "프레임", "undecided-count": "판정 전",
    "since-voting": "{time}부터, {window}프레임 중 {agree} 기준",
    "counted": "프레임마다 그 판정으로 셉니다",
    "counted-voting": "프레임마다 그때 크게 표시된 판정으로 셉니다. 프레임 자체의 판정은 CSV에 있습니다",
    "report": "보고서", "csv": "CSV", "new-shift": "새 근무", "shift-begun": "새 근무를 시작했습니다",
    "teach": "학습", "name": "부품 이름", "name-hint": "너트, 긁힘, …",
    "hold": "누르고 있으면 학습", "holding": "학습 중…", "shots": "{most}장 중 {n}장",
    "hold-hint": "누르는 동안 계속 찍습니다",
    "refused-looks-like": "{other} 클래스처럼 보이는 사진이라 {name} 클래스에 넣지 않았습니다.",
    "refused-outlier": "{name} 클래스의 다른 사진과 달라 넣지 않았습니다.",
    "left-looks-like": "제외: {other} 클래스처럼 보임", "left-outlier": "제외: 다른 사진과 다름",
    "left-same": "앞 사진과 같음: 부품을 움직이거나 돌리세요",
    "not-apart": "{one}, {other}: 서로 구별되지 않음 ({shots}장 중 {mistaken}장)",
    "confused": "{one}, {other}: 가끔 헷갈림 ({shots}장 중 {mistaken}장)",
    "all-same": "{name}의 사진이 거의 똑같습니다. 학습할 때 부품을 움직이지 않으면 다른 것은 미등록이 됩니다",
    "anyway": "그래도 등록", "leave-out": "넣지 않기", "added": "{name} 클래스에 넣었습니다",
    "undo": "되돌리기", "undo-enroll": "{name} {n}장 되돌리기", "undo-role": "{name} 뜻 되돌리기: {role}", "undo-rename": "새 이름 {name} 되돌리기",
    "undo-remove": "{name} 다시 살리기", "undone": "되돌렸습니다",
    "watch-only": "보기 전용입니다. 학습하려면 sudal serve가 출력한 토큰 주소를 여세요.",
    "classes": "클래스", "room": "{most}개 중 {n}개", "none": "아직 없습니다",
    "rename": "{name} 이름 바꾸기", "remove": "{name} 지우기", "removed": "{name} 지웠습니다",
    "other-model": "다른 모델의 클래스",
    "history": "기록", "no-history": "판정이 여기에 나타납니다",
    "stay": "머무르기", "go-on": "계속", "next": "다음 부품",
    "keys": "키", "close": "닫기",
    "server-lost": "서버가 응답하지 않습니다. 다시 시도합니다…",
    "unlogged": "기록 파일에 쓸 수 없습니다. 판정 {n}건이 메모리에서 기다리며, 프로그램이 끝나면 사라집니다. {why}",
    "unlogged-lost": "기록 파일에 쓸 수 없습니다. 판정 {n}건이 메모리에서 기다리고, 더 오래된 {lost}건은 사라졌습니다. {why}",
    "need-name": "먼저 부품 이름을 쓰세요",
    "key-hold": "누르고 있기: 선택한 이름으로 학습", "key-choose": "번호로 클래스 선택",
    "key-name": "이름 쓰기", "key-undo": "되돌리기",
    "key-anyway": "제외된 사진을 그래도 등록", "key-leave": "넣지 않기", "key-device": "다른 장치",
    "key-stay": "이 부품에 머무르기, 계속", "key-next": "다음 부품", "key-lang": "English",
    "key-help": "이 목록",
    "space": "스페이스", "escape": "Esc", "live": "카메라에 보이는 것",
    "cropped": "어두운 가장자리는 판정에 쓰이지 않음", "devices": "장치",
    "e-dark": "너무 어두움", "e-bright": "너무 밝음", "e-flat": "보이는 것 없음",
    "e-no-frame": "프레임 없음", "e-picture": "잘못된 그림",
    "x-dark": "렌즈가 가려졌거나 조명이 꺼졌는지 확인하세요.",
    "x-bright": "조명이나 노출을 낮추세요.",
    "x-flat": "화면 전체가 한 가지 밝기입니다.",
    "x-no-frame": "카메라에 아직 영상이 없습니다.",
    "x-lost": "장치가 응답하지 않습니다.",
    "x-classes-full": "클래스가 가득 찼습니다. 하나를 지우세요.",
    "x-shots-full": "이 클래스는 사진이 가득 찼습니다.",
    "x-flash-full": "저장 공간이 가득 찼습니다. 클래스를 하나 지우세요.",
    "x-name": "이름이 비었거나 너무 깁니다. 한글은 32자까지입니다.",
    "x-name-taken": "같은 이름의 클래스가 있습니다.",
    "x-locked": "장치가 잠겨 있습니다. sudal serve를 --key와 함께 시작하세요.",
    "x-model": "장치에 모델이 없습니다.",
    "x-not-flashed": "장치에 펌웨어와 모델이 없습니다. --model로 시작하세요.",
    "x-in-use": "다른 프로그램이 이 장치를 쓰고 있습니다. 그 프로그램을 끝내세요.",
    "x-nothing-to-undo": "되돌릴 것이 없습니다.",
    "x-nothing-refused": "제외된 사진이 더는 없습니다. 다시 학습하세요.",
    "x-frames": "먼저 아는 부품을 더 보여 주세요.",
    "x-log": "디스크 공간과 권한을 확인하세요.",
    "x-stalled": "장치를 다루는 작업이 멈췄습니다. 그림이 있는 디스크나 공유 폴더, 카메라를 확인하세요.",
    "x-failed": "프로그램에 오류가 나서 다시 시작합니다. 알려 주세요.",
  },
};

const remembered = localStorage.getItem("lang");
export let lang = remembered in WORDS ? remembered : navigator.language.startsWith("ko") ? "ko" : "en";

export function other() {
  return lang === "ko" ? "en" : "ko";
}

export function setLang(next) {
  lang = next;
  localStorage.setItem("lang", next);
}

export function has(key) {
  return key in WORDS[lang];
}

/** The words for a key, with what stands in braces filled in; for one thing they may be others. */
export function t(key, fill = {}) {
  const one = fill.n === 1 ? WORDS[lang][`${key}-1`] : undefined;
  const text = one ?? WORDS[lang][key] ?? WORDS.en[key] ?? key;
  return text.replace(/\{(\w+)\}/g, (_, name) => fill[name] ?? "");
}

/** What went wrong, as the server told it. */
export function trouble(told) {
  return told.kind && has(`x-${told.kind}`) ? t(`x-${told.kind}`) : told.text;
}

export function time(micros) {
  return new Date(micros / 1000).toLocaleTimeString(lang, { hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false });
}

export function number(value) {
  return value.toLocaleString(lang);
}
