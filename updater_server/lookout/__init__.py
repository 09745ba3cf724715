"""What the worker looks at again and again, so that nobody has to: who runs what and how far each
release has come, what befell the fleet, which region fell silent, whether the books agree. It is
kept for the board, so that no page counts the fleet while terminals wait.
"""
