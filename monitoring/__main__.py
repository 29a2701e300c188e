"""The monitor as a process: `python -m monitoring`."""

from monitoring.process_memory import keep_small

keep_small()  # before the imports of what it is about

from monitoring.monitor import main  # noqa: E402

if __name__ == "__main__":
    main()
