"""The release manager's and the key holders' command lines: images, the signed channels, and keys.
Here live commands, what they say and ask; what the channels are, and every rule about them, lives
in `updater_server.channels`. `commands` lists them; docs/release-manager.md is the manual.
"""
