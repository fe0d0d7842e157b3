/* SPDX-License-Identifier: Apache-2.0 */
#include "pack/zstd/check.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/macros.h"
#include "pack/zstd/frame.h"

struct frame_check {
    struct pack_zframe_state reading, writing;
    struct pack_zframe_block block;
    unsigned char work[ZFRAME_BLOCK_MAX];
};

/* *at and *content_at go behind the block. */
static int check_block(struct frame_check *check, const unsigned char *packed, size_t n, size_t *at,
                       const unsigned char *content, size_t content_n, size_t *content_at)
{
    _cleanup_(hf_buf_done) struct hf_buf out = HF_BUF_INIT(2 * ZFRAME_BLOCK_MAX);
    size_t bytes;

    if (n - *at < ZFRAME_BLOCK_HEAD || !pack_zframe_block_head(packed + *at, &check->block, &bytes) ||
        n - *at - ZFRAME_BLOCK_HEAD < bytes ||
        !pack_zframe_block_read(&check->reading, packed + *at + ZFRAME_BLOCK_HEAD, bytes, &check->block) ||
        check->block.content_n > content_n - *content_at || (check->block.content_n == 0 && !check->block.last))
        return 0;
    int r = pack_zframe_block_write(&check->writing, &check->block, content + *content_at, check->work, &out);
    if (r < 0)
        return r == -ENOMEM ? r : 0;
    if (out.n != ZFRAME_BLOCK_HEAD + bytes || memcmp(out.p, packed + *at, out.n) != 0)
        return 0;
    *at += out.n;
    *content_at += check->block.content_n;
    return 1;
}

static bool check_head(const unsigned char *packed, size_t n, size_t content_n, struct pack_zframe_head *ret_head,
                       size_t *ret_at)
{
    unsigned char bytes[ZFRAME_HEAD_MAX];
    size_t at = pack_zframe_head_read(packed, n, ret_head);

    *ret_at = at;
    return at > 0 && (ret_head->content_n == UINT64_MAX || ret_head->content_n == content_n) &&
           pack_zframe_head_write(ret_head, bytes) == at && memcmp(bytes, packed, at) == 0;
}

int pack_zframe_check(const unsigned char *packed, size_t n, const unsigned char *content, size_t content_n)
{
    _cleanup_(hf_freep) struct frame_check *check = NULL;
    struct pack_zframe_head head;
    size_t at, content_at = 0;
    int r = 1;

    if (!check_head(packed, n, content_n, &head, &at))
        return 0;
    check = calloc(1, sizeof(*check));
    if (check == NULL)
        return -ENOMEM;
    while (r > 0 && !check->block.last)
        r = check_block(check, packed, n, &at, content, content_n, &content_at);
    if (r <= 0 || content_at != content_n)
        return r < 0 ? r : 0;
    if (pack_zframe_head_checksum(&head)) {
        struct pack_zframe_hash hash;
        pack_zframe_hash_init(&hash);
        pack_zframe_hash_update(&hash, content, content_n);
        if (n - at < 4 || hf_le32(packed + at) != (uint32_t)pack_zframe_hash_final(&hash))
            return 0;
        at += 4;
    }
    return at == n;
}
