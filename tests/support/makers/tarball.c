/* SPDX-License-Identifier: Apache-2.0 */
#include "support/makers/tarball.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codec/squeeze.h"

enum { BLOCK = 512 };

static void must(int r)
{
    if (r < 0)
        abort();
}

void hf_tarball_head(struct hf_buf *tar, const char *name, char type, uint64_t size, const char *target)
{
    unsigned char block[BLOCK] = {0};
    unsigned sum = 0;

    (void)strncpy((char *)block, name, 100);
    (void)snprintf((char *)block + 100, 8, "%07o", type == '5' ? 0755U : 0644U);
    (void)snprintf((char *)block + 108, 8, "%07o", 0U);
    (void)snprintf((char *)block + 116, 8, "%07o", 0U);
    (void)snprintf((char *)block + 124, 12, "%011llo", (unsigned long long)size);
    (void)snprintf((char *)block + 136, 12, "%011o", 0U);
    block[156] = (unsigned char)type;
    (void)strncpy((char *)block + 157, target, 100);
    memcpy(block + 257,
           "ustar\0"
           "00",
           8);
    memset(block + 148, ' ', 8);
    for (size_t i = 0; i < BLOCK; i++)
        sum += block[i];
    (void)snprintf((char *)block + 148, 8, "%06o", sum);
    must(hf_buf_add(tar, block, BLOCK));
}

void hf_tarball_zeros(struct hf_buf *tar, size_t n)
{
    must(hf_buf_reserve(tar, n));
    memset(tar->p + tar->n, 0, n);
    tar->n += n;
}

void hf_tarball_add(struct hf_buf *tar, const char *name, char type, const void *content, size_t n)
{
    hf_tarball_head(tar, name, type, n, "");
    must(hf_buf_add(tar, content, n));
    hf_tarball_zeros(tar, (BLOCK - n % BLOCK) % BLOCK);
}

void hf_tarball_file(struct hf_buf *tar, const char *name, const char *content)
{
    hf_tarball_add(tar, name, '0', content, strlen(content));
}

void hf_tarball_pax(struct hf_buf *tar, char type, const char *key, const char *value)
{
    char record[1200];
    size_t n = strlen(key) + strlen(value) + 3, digits = 1;

    while (snprintf(NULL, 0, "%zu", n + digits) > (int)digits)
        digits++;
    (void)snprintf(record, sizeof(record), "%zu %s=%s\n", n + digits, key, value);
    hf_tarball_add(tar, type == 'g' ? "pax_global_header" : "pax", type, record, strlen(record));
}

void hf_tarball_end(struct hf_buf *tar)
{
    hf_tarball_zeros(tar, 2 * (size_t)BLOCK);
}

void hf_tarball_gzip(const struct hf_buf *tar, struct hf_buf *ret_gz)
{
    struct hf_squeeze *squeeze = hf_squeeze_new(HF_SQUEEZE_GZIP);

    if (squeeze == NULL)
        abort();
    must(hf_squeeze_begin(squeeze, ret_gz));
    must(hf_squeeze_add(squeeze, hf_buf_str(tar), tar->n));
    must(hf_squeeze_end(squeeze));
    hf_squeeze_free(squeeze);
}
