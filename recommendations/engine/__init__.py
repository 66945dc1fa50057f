"""What goes with what, in numpy and scipy alone: no Django, no database, no clock.

Everything here is a function of the rows it is given. Leave a customer's rows out and what comes back is what it
would have been had they never bought: that is how opting out unlearns.
"""
