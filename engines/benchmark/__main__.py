"""Measure this machine, with what it has, and write it to a file with the machine and its settings:

    python -m engines.benchmark --out my_machine.json

Without --out each result is a line of JSON. `python -m engines.benchmark --help` says what else can
be measured, and how.
"""

from engines.benchmark.command_line import main

main()
