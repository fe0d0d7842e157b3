/* SPDX-License-Identifier: Apache-2.0 */
#include "mirror/store.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "codec/sha256.h"
#include "os/fd.h"

int hf_mirror_store_open(char *const *stores, const char *sha256, uint64_t *ret_size)
{
    char path[512];
    struct stat st;

    for (size_t i = 0; stores[i] != NULL; i++) {
        int n = snprintf(path, sizeof(path), "%s/blobs/sha256/%s", stores[i], sha256);
        int fd = n < (int)sizeof(path) ? open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK) : -1;
        if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode)) {
            *ret_size = (uint64_t)st.st_size;
            return fd;
        }
        hf_closep(&fd);
    }
    return -1;
}

bool hf_mirror_store_has(char *const *stores, const char *sha256, uint64_t size)
{
    uint64_t has = 0;
    _cleanup_(hf_closep) int fd = hf_mirror_store_open(stores, sha256, &has);

    return fd >= 0 && (size == UINT64_MAX || has == size);
}

bool hf_mirror_store_read(char *const *stores, const char *sha256, struct hf_buf *text)
{
    char hex[HF_SHA256_HEX];
    uint64_t size = 0;
    _cleanup_(hf_closep) int fd = hf_mirror_store_open(stores, sha256, &size);

    if (fd < 0 || size == 0 || size > text->max - text->n || hf_buf_reserve(text, (size_t)size) < 0 ||
        pread(fd, text->p + text->n, (size_t)size, 0) != (ssize_t)size ||
        strcmp(hf_sha256_hex(text->p + text->n, (size_t)size, hex), sha256) != 0)
        return false;
    text->n += (size_t)size;
    return true;
}
