"""Takes part in a study of `sudal tune` with Optuna itself: python study.py STEP JOURNAL STUDY."""

import json
import sys

import optuna
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import TrialState

optuna.logging.set_verbosity(optuna.logging.ERROR)
step, path, name = sys.argv[1:4]
storage = JournalStorage(JournalFileBackend(path))


def enqueue():
    """Makes a study, and queues a trial for whoever comes."""
    study = optuna.create_study(study_name=name, storage=storage, direction="maximize")
    study.enqueue_trial({"channels": 4, "averaging": 0.9})


def minimize():
    optuna.create_study(study_name=name, storage=storage, direction="minimize")


def work():
    """Is a worker for two trials, with the ranges that the trials before have."""
    study = optuna.load_study(study_name=name, storage=storage)
    ranges = study.trials[0].distributions

    def objective(trial):
        for name, distribution in ranges.items():
            if isinstance(distribution, optuna.distributions.FloatDistribution):
                trial.suggest_float(name, distribution.low, distribution.high, log=distribution.log)
            elif isinstance(distribution, optuna.distributions.IntDistribution):
                trial.suggest_int(name, distribution.low, distribution.high, step=distribution.step)
            else:
                trial.suggest_categorical(name, distribution.choices)
        trial.report(0.25, 1)
        return 0.999 if trial.number == len(study.trials) - 1 else 0.001

    study.optimize(objective, n_trials=2)


def tell():
    """What Optuna reads."""
    study = optuna.load_study(study_name=name, storage=storage)
    trials = [
        {
            "number": t.number,
            "state": t.state.name,
            "value": t.value,
            "params": t.params,
            "reports": {str(k): v for k, v in t.intermediate_values.items()},
            "kinds": {k: type(d).__name__ for k, d in t.distributions.items()},
            "dates": [t.datetime_start is not None, t.datetime_complete is not None],
            "retries": t.system_attrs.get("retry_history"),
        }
        for t in study.trials
    ]
    best = study.best_trial
    frame = [t.number for t in study.get_trials(states=[TrialState.COMPLETE])]
    print(json.dumps({"trials": trials, "best": best.number, "value": best.value, "complete": frame}))


{"enqueue": enqueue, "minimize": minimize, "work": work, "tell": tell}[step]()
