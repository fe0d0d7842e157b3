/* Archives of trees: the reader ends, stays inside, and names no member that leaves. */
#include <errno.h>

#include "base/macros.h"
#include "delta/delta.h"
#include "update/install/tar.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static void check_name(const char *name)
{
    if (name[0] == '/' || strstr(name, "//") != NULL || strncmp(name, "../", 3) == 0 || strcmp(name, "..") == 0 ||
        strstr(name, "/../") != NULL)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    struct hf_delta_memory input = {bytes, n};
    struct hf_tar tar = {.ctx = &input, .pread = hf_delta_memory_pread, .size = n};
    struct hf_tar_member member;
    struct hf_err err = HF_ERR_INIT;
    int r;

    while ((r = hf_tar_next(&tar, &member, &err)) > 0) {
        check_name(member.name);
        if (member.type == HF_TAR_HARDLINK)
            check_name(member.target);
        if (member.offset + member.size > n)
            abort();
    }
    if (r < 0 && r != -EBADMSG && r != -ENOMEM)
        abort();
    return 0;
}
