/* OpenSSL's one-shot structure is used although it is deprecated in 3.0: its successor, EVP, cannot export a midstate, and
 * resuming a 300 MB hash after a power cut needs one. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "codec/hash.h"

#include <errno.h>
#include <openssl/sha.h>
#include <string.h>

#include "base/parse.h"

_Static_assert(sizeof(SHA256_CTX) <= sizeof(struct hf_sha256), "room for OpenSSL's state");

static SHA256_CTX *state_of(struct hf_sha256 *hash)
{
    return (SHA256_CTX *)(void *)hash->opaque;
}

void hf_sha256_init(struct hf_sha256 *hash)
{
    (void)SHA256_Init(state_of(hash));
}

void hf_sha256_update(struct hf_sha256 *hash, const void *bytes, size_t n)
{
    (void)SHA256_Update(state_of(hash), bytes, n);
}

void hf_sha256_final(struct hf_sha256 *hash, unsigned char digest[static HF_SHA256_BYTES])
{
    (void)SHA256_Final(digest, state_of(hash));
}

static void put_be32(unsigned char *p, uint32_t v)
{
    for (int i = 0; i < 4; i++)
        p[i] = (unsigned char)(v >> (24 - 8 * i));
}

static uint32_t get_be32(const unsigned char *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* Layout: 8 chaining words, bit count high and low, bytes pending (all be32), 4 bytes zero, 64 bytes of the open block. */
void hf_sha256_save(const struct hf_sha256 *hash, unsigned char state[static HF_SHA256_STATE])
{
    SHA256_CTX ctx;

    memcpy(&ctx, hash->opaque, sizeof(ctx));
    memset(state, 0, HF_SHA256_STATE);
    for (int i = 0; i < 8; i++)
        put_be32(state + 4 * i, (uint32_t)ctx.h[i]);
    put_be32(state + 32, (uint32_t)ctx.Nh);
    put_be32(state + 36, (uint32_t)ctx.Nl);
    put_be32(state + 40, ctx.num);
    memcpy(state + 48, ctx.data, ctx.num);
}

int hf_sha256_load(struct hf_sha256 *hash, const unsigned char state[static HF_SHA256_STATE])
{
    SHA256_CTX ctx;
    uint32_t pending = get_be32(state + 40), low_bits = get_be32(state + 36);

    if (pending >= 64 || (low_bits >> 3 & 63) != pending || (low_bits & 7) != 0)
        return -EBADMSG;
    (void)SHA256_Init(&ctx);
    for (int i = 0; i < 8; i++)
        ctx.h[i] = get_be32(state + 4 * i);
    ctx.Nh = get_be32(state + 32);
    ctx.Nl = low_bits;
    ctx.num = pending;
    memcpy(ctx.data, state + 48, pending);
    hf_sha256_init(hash);
    memcpy(hash->opaque, &ctx, sizeof(ctx));
    return 0;
}

const char *hf_sha256_hex(const void *bytes, size_t n, char hex[static HF_SHA256_HEX])
{
    unsigned char digest[HF_SHA256_BYTES];

    (void)SHA256(bytes, n, digest);
    return hf_hex_encode(digest, sizeof(digest), hex);
}

int hf_sha256_file(const struct hf_fs_ops *fs, int fd, char hex[static HF_SHA256_HEX], uint64_t *ret_size,
                   struct hf_err *err)
{
    unsigned char chunk[16384], digest[HF_SHA256_BYTES];
    struct hf_sha256 hash;
    uint64_t offset = 0;
    ssize_t n;

    hf_sha256_init(&hash);
    while ((n = fs->pread(fs->ctx, fd, chunk, sizeof(chunk), offset)) > 0) {
        hf_sha256_update(&hash, chunk, (size_t)n);
        offset += (uint64_t)n;
    }
    if (n < 0)
        return hf_err_sys(err, (int)n, "read at %llu", (unsigned long long)offset);
    hf_sha256_final(&hash, digest);
    (void)hf_hex_encode(digest, sizeof(digest), hex);
    if (ret_size != NULL)
        *ret_size = offset;
    return 0;
}
