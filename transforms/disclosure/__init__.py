"""Disclosure control (METHOD 5): which figures are open, protected or for their owner only, and what is withheld.

`rules` reads the classes, `tree` says what can be worked out of linked cells, `withhold` chooses what is withheld, `protect`
applies it to settled figures.
"""
