"""Drivers of the engines and stores we measure beside. They run in venvs of their own; nothing of ours needs them."""
