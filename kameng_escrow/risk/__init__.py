"""Seeing it coming: how likely each bad ending is, what is out of the ordinary, and where things are heading.

Nothing here decides over an order's money: what this part says is for people, and where it has nothing to say, orders
go their way: without the libraries of `kameng-escrow[risk]`, without a model or with a broken one there is no
score, and nothing else changes.
"""
