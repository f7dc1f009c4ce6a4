#!/usr/bin/env python3
"""boot.py [-x] SECONDS [WORD SEND]... WORD -- COMMAND...: runs the command, waits for each word on its output, sends what stands after it
("\\n" and the like are understood; "-": nothing). Ends with 0 when the last word came; with 1 and the tail of the output otherwise.
-x: after the last word the command has to end by itself, with status 0."""
import os, select, subprocess, sys, time

ends = sys.argv[1] == "-x"
if ends: del sys.argv[1]
split = sys.argv.index("--")
limit, words = time.monotonic() + float(sys.argv[1]), sys.argv[2:split]
p = subprocess.Popen(sys.argv[split + 1:], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
out, seen, ok = b"", 0, True
for i in range(0, len(words), 2):
    word = words[i].encode()
    while word not in out[seen:]:
        left = limit - time.monotonic()
        if left <= 0 or not select.select([p.stdout], [], [], left)[0]:
            ok = False
            break
        b = os.read(p.stdout.fileno(), 65536)
        if not b:
            ok = False
            break
        out += b
    if not ok:
        print("no", repr(words[i]), "in", repr(out[-1500:].decode(errors="replace")))
        break
    seen = out.index(word, seen) + len(word)
    if i + 1 < len(words) and words[i + 1] != "-":
        p.stdin.write(words[i + 1].encode().decode("unicode_escape").encode())
        p.stdin.flush()
if ok and ends:
    p.stdin.close()
    while True:
        left = limit - time.monotonic()
        if left <= 0 or not select.select([p.stdout], [], [], left)[0]: break
        if not os.read(p.stdout.fileno(), 65536): break
    try:
        status = p.wait(max(1, limit - time.monotonic()))
        ok = status == 0
        if not ok: print("ended with", status)
    except subprocess.TimeoutExpired:
        ok = False
        print("did not end")
p.kill()
p.wait()
sys.exit(0 if ok else 1)
