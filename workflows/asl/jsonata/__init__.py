"""JSONata 2.0.6, as Step Functions documents it, bounded in time and memory.

``expressions`` is the entrance: it compiles an expression once (``parsing``: ``lexer``, ``parser``, ``paths``; then
``checks``) and evaluates it. Everyday expressions run as ``closures``; ``evaluator`` defines the meaning of all, with
``function_values``, ``operators`` and the functions in ``registry``. ``evaluation`` counts steps and memory against
``limits``; ``results`` copies what comes out as plain JSON. Errors have JSONata's codes and sentences (``errors``).
"""
