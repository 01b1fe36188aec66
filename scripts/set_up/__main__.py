"""The command line: `python -m scripts.set_up chat`, in the checkout's folder."""

from __future__ import annotations

import sys

from scripts.set_up.purposes import PURPOSES
from scripts.set_up.stamps import is_done

STOPPED = 130


def main(arguments: list[str]) -> int:
    """Sets up for one purpose; silent and quick if that was done before."""
    if len(arguments) != 1 or arguments[0] not in PURPOSES:
        print(f"usage: python -m scripts.set_up {'|'.join(PURPOSES)}", file=sys.stderr)
        return 2
    purpose = PURPOSES[arguments[0]]
    return 0 if is_done(purpose) else _work(purpose.name)


def _work(name: str) -> int:
    import signal  # noqa: PLC0415 (what is done already needs none of this)

    from scripts.set_up.failures import SetUpError, StoppedError  # noqa: PLC0415
    from scripts.set_up.setting_up import set_up  # noqa: PLC0415

    def stop(*_: object) -> None:
        raise StoppedError

    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, stop)
    try:
        set_up(PURPOSES[name])
    except (KeyboardInterrupt, StoppedError):
        print("Stopped. Run it again to go on.", file=sys.stderr)
        return STOPPED
    except SetUpError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
