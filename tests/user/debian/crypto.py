# Every digest, cipher and MAC of libcrypto, over many lengths and alignments, through ctypes: one line each, with a
# digest of all results. A native run and a guest run print the same. argv: the digests' names, "--", the ciphers' names.
import ctypes, hashlib, sys
from ctypes import byref, c_char_p, c_int, c_size_t, c_void_p, create_string_buffer
lib = ctypes.CDLL("libcrypto.so.3")
for name in ("EVP_MD_fetch", "EVP_CIPHER_fetch", "EVP_MD_CTX_new", "EVP_CIPHER_CTX_new", "OSSL_PROVIDER_load"):
    getattr(lib, name).restype = c_void_p
for name in ("default", "legacy"):
    lib.OSSL_PROVIDER_load(None, name.encode())
SIZES = [0, 1, 3, 7, 8, 15, 16, 17, 31, 32, 33, 47, 55, 56, 63, 64, 65, 95, 111, 112, 127, 128, 129, 143, 144, 191, 255, 256,
         257, 511, 512, 513, 1000, 1023, 1025, 2048, 4095, 4097, 8191, 30011]
state, data = 1, bytearray()
while len(data) < SIZES[-1] + 16:  # a linear congruential generator: the same bytes everywhere
    state = (state * 6364136223846793005 + 1442695040888963407) % 2 ** 64
    data += (state >> 16).to_bytes(6, "little")
data = bytes(data)
room = create_string_buffer(len(data) + 64)
at = lambda buf, off: c_void_p(ctypes.addressof(buf) + off)

def digest(name):
    md = lib.EVP_MD_fetch(None, name.encode(), None)
    if not md: return "none"
    ctx, out, n, all = c_void_p(lib.EVP_MD_CTX_new()), create_string_buffer(64), c_int(), hashlib.sha256()
    for size in SIZES:
        shift = size % 13
        ctypes.memmove(at(room, shift), data, size)
        lib.EVP_DigestInit_ex(ctx, c_void_p(md), None)
        for a, b in ((0, size // 3), (size // 3, size)):
            lib.EVP_DigestUpdate(ctx, at(room, shift + a), c_size_t(b - a))
        if name.startswith(("shake", "keccak")): all.update(out.raw if lib.EVP_DigestFinalXOF(ctx, out, c_size_t(64)) else b'')
        elif lib.EVP_DigestFinal_ex(ctx, out, byref(n)): all.update(out.raw[:n.value])
        else: all.update(b"refused")
    lib.EVP_MD_CTX_free(ctx)
    return all.hexdigest()

def cipher(name):
    kind = lib.EVP_CIPHER_fetch(None, name.encode(), None)
    if not kind: return "none"
    all, bad, sealed = hashlib.sha256(), "", create_string_buffer(len(data) + 128)
    n, m, tag = c_int(), c_int(), create_string_buffer(16)
    aead = any(x in name.lower() for x in ("gcm", "ocb", "poly1305"))
    for size in SIZES:
        ctypes.memmove(room, data, size)
        key = bytes((7 * i + size) % 256 for i in range(64))
        got, plain = None, create_string_buffer(size + 128)
        for enc, src, dst in ((1, room, sealed), (0, sealed, plain)):
            ctx = c_void_p(lib.EVP_CIPHER_CTX_new())
            lib.EVP_CIPHER_CTX_set_flags(ctx, 1)  # wrapping allowed
            ok = lib.EVP_CipherInit_ex(ctx, c_void_p(kind), None, key, key[:32], enc)
            if aead and not enc: lib.EVP_CIPHER_CTX_ctrl(ctx, 0x11, 16, tag)
            if aead: ok = ok and lib.EVP_CipherUpdate(ctx, None, byref(n), data, 21)
            length, done = (size if enc else got), 0
            # in one piece for modes that want it, in pieces that are no multiple of a block for the others
            step = length if any(x in name.lower() for x in ("xts", "wrap", "siv", "ccm", "cts")) else max(1000003 * enc, length // 3 + 5)
            pos = 0
            while ok and (pos < length or pos == length == 0):
                ok = lib.EVP_CipherUpdate(ctx, at(dst, done), byref(n), at(src, pos), min(step, length - pos))
                done, pos = done + n.value * (ok > 0), pos + step
                if length == 0: break
            m.value = 0
            ok = ok and lib.EVP_CipherFinal_ex(ctx, at(dst, done), byref(m))
            if aead and enc: lib.EVP_CIPHER_CTX_ctrl(ctx, 0x10, 16, tag)
            lib.EVP_CIPHER_CTX_free(ctx)
            if not ok:
                all.update(b"refused%d" % enc)
                break
            got = done + m.value
            all.update(dst.raw[:got] + (tag.raw if aead else b""))
        else:
            if plain.raw[:got] != data[:size]: bad = " DECRYPTS WRONG at %d" % size
    return all.hexdigest() + bad

names = sys.argv[1:]
split = names.index("--")
for d in names[:split]: print("digest", d, digest(d))
for c in names[split + 1:]: print("cipher", c, cipher(c))
for f in ("pbkdf2_hmac", "scrypt"):
    for h in ("md5", "sha1", "sha256", "sha512", "sha3_256", "sm3") if f == "pbkdf2_hmac" else ("",):
        r = hashlib.pbkdf2_hmac(h, b"p", b"salt" * 9, 50, 100) if h else hashlib.scrypt(b"p", salt=b"s" * 16, n=256, r=8, p=2)
        print(f, h, r.hex())
