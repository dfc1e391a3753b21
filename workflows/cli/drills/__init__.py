"""Fault drills: a throw-away engine with a fault, for a team that practises the runbook.

``stage`` runs the engine and the commands; ``drill`` is what a drill consists of; ``faults`` has the drills: how each
breaks something, what shows it, what puts it right, and how to tell that it is right. ``playing`` plays one for a
person, or by itself.
"""
