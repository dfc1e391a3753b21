"""Runs of an order beside what the engine did: executions, the states they entered, and where log and engine differ.

``machines`` names the machines and their executions. ``visits`` makes of an execution's history the states that it
entered, with attempts and errors. ``reading`` puts them beside the runs in the order's log, ``differences`` compares
the two, ``layout`` makes a graph of a machine's definition, and ``views`` writes all of it as JSON.
"""
