"""Terminology as the host serves it: commands, the inbox of what nothing resolved, and the resolver in the background.

The host knows no code: every meaning comes from the plugin's :class:`~cds_hooks.terminology.desk.Desk`.
"""
