"""The projector's program."""

from apps.orders.projector.process import main

main()
