#ifndef SUDAL_H
#define SUDAL_H

/* Made from the library's sources by cbindgen: see firmware/docs/c.md. */

#include <stddef.h>
#include <stdint.h>

// Bytes of a class's name, the last of which is 0.
#define SUDAL_NAME 97

// Bytes of a model's name, the last of which is 0.
#define SUDAL_MODEL_NAME 33

// What a function came to. Unless it is `SUDAL_OK`, nothing was changed.
typedef enum SudalStatus {
  // What was asked was done.
  SUDAL_STATUS_OK = 0,
  // A pointer is NULL.
  SUDAL_STATUS_NULL,
  // The bytes are no model image, or a damaged one, or do not start at a multiple of 16.
  SUDAL_STATUS_IMAGE,
  // The memory is smaller than `sudal_memory` says.
  SUDAL_STATUS_MEMORY,
  // The frame has no pixel, fewer bytes than its size takes, or a format that this build does not read.
  SUDAL_STATUS_FRAME,
  // The frame is black, overexposed or of one level.
  SUDAL_STATUS_BLANK,
  // The embedding has another number of values than the model's.
  SUDAL_STATUS_LENGTH,
  // A name has 1 to 96 bytes of UTF-8, none of a control character.
  SUDAL_STATUS_NAME,
  // There is no room for another class.
  SUDAL_STATUS_CLASSES_FULL,
  // There is no room for another shot of this class.
  SUDAL_STATUS_SHOTS_FULL,
  // There is no such class, or none at all.
  SUDAL_STATUS_NO_CLASS,
  // There is no head of this number.
  SUDAL_STATUS_HEAD,
  // The model has no self-test.
  SUDAL_STATUS_NO_SELF_TEST,
  // The model did not compute what it should.
  SUDAL_STATUS_SELF_TEST,
} SudalStatus;

// How the bytes of a frame are to be read.
typedef enum SudalFormat {
  // One byte a pixel, 0 is black and 255 is white.
  SUDAL_FORMAT_GREY8 = 0,
  // Two bytes a pixel, little-endian, red in the five high bits.
  SUDAL_FORMAT_RGB565 = 1,
  // Two bytes a pixel, luma at the even bytes.
  SUDAL_FORMAT_YUYV = 2,
  // Three bytes a pixel: red, green and blue.
  SUDAL_FORMAT_RGB888 = 3,
} SudalFormat;

// How embeddings are classified.
typedef enum SudalHead {
  // By the nearest mean of a class's shots.
  SUDAL_HEAD_PROTOTYPE = 0,
  // By the nearest single shot.
  SUDAL_HEAD_NEAREST = 1,
  // By a weighted read of the memory's slots.
  SUDAL_HEAD_MEMORY = 2,
  // By a linear classifier that starts from the means.
  SUDAL_HEAD_LINEAR = 3,
} SudalHead;

// An engine with a model and what was enrolled. It lives in the memory that `sudal_open` was given.
typedef struct Sudal Sudal;

// How far a class is.
typedef struct SudalScore {
  // The class.
  uint8_t id;
  // How far it is, in the measure of the head; less is nearer.
  float value;
} SudalScore;

// The nearest classes.
typedef struct SudalAnswer {
  // How many classes there are.
  uint8_t classes;
  // The nearest.
  struct SudalScore first;
  // The second nearest; the nearest where there is but one.
  struct SudalScore second;
} SudalAnswer;

// A class.
typedef struct SudalClass {
  // Its name, which a 0 ends.
  char name[SUDAL_NAME];
  // Embeddings that it has.
  uint8_t shots;
} SudalClass;

// A picture, row by row.
typedef struct SudalFrame {
  // Its bytes.
  const uint8_t *pixels;
  // How many there are.
  size_t len;
  // Columns.
  uint16_t width;
  // Rows.
  uint16_t height;
  // A `SudalFormat`.
  uint32_t format;
} SudalFrame;

// What a model is like.
typedef struct SudalModel {
  // Identity: other weights have another.
  uint64_t id;
  // Its name, which a 0 ends.
  char name[SUDAL_MODEL_NAME];
  // Columns of its input picture.
  uint16_t width;
  // Rows.
  uint16_t height;
  // Values of an embedding.
  uint16_t embedding;
  // An embedding's values stand for `scale * (value - zero_point)`.
  float scale;
  // The value that stands for 0.
  int8_t zero_point;
} SudalModel;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

// Adds an embedding to the class of this name, which is made if there is none, and sets `id`, unless it is
// NULL, to the class's number.
//
// A program that is to know its classes after a start keeps names and embeddings, and enrols them again.
//
// # Safety
// `sudal` must be NULL or from `sudal_open`, `name` NULL or a string that a 0 ends, `embedding` NULL or have
// `len` readable values, and `id` be NULL or writable.
enum SudalStatus sudal_enroll(struct Sudal *sudal,
                              const char *name,
                              const int8_t *embedding,
                              size_t len,
                              uint8_t *id);

// Finds the classes that are nearest to an embedding, by a `SudalHead`.
//
// # Safety
// `sudal` must be NULL or from `sudal_open`, `embedding` NULL or have `len` readable values, and `answer`
// NULL or writable.
enum SudalStatus sudal_classify(struct Sudal *sudal,
                                uint32_t head,
                                const int8_t *embedding,
                                size_t len,
                                struct SudalAnswer *answer);

// Says what a class of this number is.
//
// # Safety
// `sudal` must be NULL or from `sudal_open`, and `class` NULL or writable.
enum SudalStatus sudal_class(struct Sudal *sudal, uint8_t id, struct SudalClass *class_);

// Takes all classes out.
//
// # Safety
// `sudal` must be NULL or from `sudal_open`.
enum SudalStatus sudal_clear(struct Sudal *sudal);

// Computes the embedding of a frame: `len` values, as many as the model has.
//
// The largest centred part of the frame that has the proportions of the model's input is looked at,
// as a board does.
//
// # Safety
// `sudal` must be NULL or from `sudal_open`, `frame` and its pixels NULL or readable, and `embedding` NULL
// or have `len` writable values.
enum SudalStatus sudal_embed(struct Sudal *sudal,
                             const struct SudalFrame *frame,
                             int8_t *embedding,
                             size_t len);

// Computes what a frame is taught as, for `sudal_enroll`: for a model with views of a shot the mean of the
// embeddings of the frame and of its views, and for others what `sudal_embed` does.
//
// # Safety
// As `sudal_embed`.
enum SudalStatus sudal_embed_shot(struct Sudal *sudal,
                                  const struct SudalFrame *frame,
                                  int8_t *embedding,
                                  size_t len);

// The bytes of memory that `sudal_open` needs for a model image; 0 if it is none that it takes.
//
// # Safety
// `image` must be NULL, or have `image_len` readable bytes.
size_t sudal_memory(const uint8_t *image, size_t image_len);

// Opens an engine without classes in `memory`, which may start anywhere, and sets `sudal` to it.
//
// The image is read in place, in flash as in RAM. It and the memory belong to the engine from here on:
// nothing else may change them, and they have to stay as long as it is used. There is nothing to close.
//
// # Safety
// `image` must be NULL or have `image_len` readable bytes, `memory` be NULL or have `memory_len`
// writable ones, and `sudal` be NULL or writable.
enum SudalStatus sudal_open(const uint8_t *image,
                            size_t image_len,
                            void *memory,
                            size_t memory_len,
                            struct Sudal **sudal);

// Says what the model is like.
//
// # Safety
// `sudal` must be NULL or from `sudal_open`, and `model` NULL or writable.
enum SudalStatus sudal_model(struct Sudal *sudal, struct SudalModel *model);

// Whether the model computes of its own frame what it should.
//
// # Safety
// `sudal` must be NULL or from `sudal_open`.
enum SudalStatus sudal_self_test(struct Sudal *sudal);

// A status in words, a string that stays; for a number that is none, too.
const char *sudal_message(uint32_t status);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* SUDAL_H */
