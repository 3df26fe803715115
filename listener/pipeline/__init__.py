"""The path of a mention, step by step; each step claims rows, asks the core, and writes in one transaction.

    Source.poll -> normalise -> match -> dedupe + store + cursor -> judge -> route -> case + bundle + outbox
                   ingest.py                                        judge.py  escalate.py
    outbox -> still worth telling? -> Channel.send -> receipt, retry or dead
              dispatch.py

Doing a step twice changes nothing. Who calls the steps, and when, is the business of `listener.engine`.
"""
