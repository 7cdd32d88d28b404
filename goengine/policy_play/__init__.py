"""Games that policies play without any search, many in lock step: what reinforcement, games for a value net and matches share.

Start with `games`. Knows boards and encoders, and asks whoever plays for logits: neither nets nor files are known here.
"""
