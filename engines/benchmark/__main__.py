"""`python -m engines.benchmark`: measure this machine."""

from engines.benchmark.command_line import main

main()
