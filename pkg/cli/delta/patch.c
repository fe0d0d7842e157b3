/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/delta/patch.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "os/dir.h"

int hf_cli_patch_look(struct hf_cli_patch *patch, struct hf_err *err)
{
    ssize_t n = 1;

    while (patch->head_n < HF_DEEP_HEAD &&
           (n = hf_cli_fd_read(&patch->fd, patch->head + patch->head_n, HF_DEEP_HEAD - patch->head_n)) > 0)
        patch->head_n += (size_t)n;
    return n < 0 ? hf_err_sys(err, (int)n, "read patch") : 0;
}

bool hf_cli_patch_is_deep(const struct hf_cli_patch *patch)
{
    return patch->head_n == HF_DEEP_HEAD && hf_deep_is(patch->head);
}

ssize_t hf_cli_patch_read(void *ctx, void *bytes, size_t n)
{
    struct hf_cli_patch *patch = ctx;

    if (patch->at == patch->head_n)
        return hf_cli_fd_read(&patch->fd, bytes, n);
    n = HF_MIN(n, patch->head_n - patch->at);
    memcpy(bytes, patch->head + patch->at, n);
    patch->at += n;
    return (ssize_t)n;
}

char *hf_cli_patch_scratch(const char *target)
{
    const char *folder = getenv("TMPDIR");
    char above[PATH_MAX];

    if (strcmp(target, "-") != 0) {
        (void)hf_dir_of_path(target, above, sizeof(above));
        folder = above;
    }
    return hf_asprintf("%s/.holdfast-scratch-%ld", folder != NULL && folder[0] != '\0' ? folder : "/tmp",
                       (long)getpid());
}
