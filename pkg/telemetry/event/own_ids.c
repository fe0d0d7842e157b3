/* SPDX-License-Identifier: Apache-2.0 */
#include "telemetry/event/own_ids.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/encoding/hex.h"
#include "os/file.h"
#include "telemetry/event/siphash.h"

int hf_own_ids_load(const struct hf_fs_ops *fs, const struct hf_rand_ops *rand, const char *dir,
                    struct hf_own_ids *ret_ids, struct hf_err *err)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(sizeof(ret_ids->keys) * 2);
    char path[PATH_MAX], hex[sizeof(ret_ids->keys) * 2 + 1];

    (void)snprintf(path, sizeof(path), "%s/ids.key", dir);
    int r = hf_file_read(fs, path, &text, err);
    if (r == 0 && text.n == sizeof(hex) - 1) {
        memcpy(hex, text.p, text.n);
        hex[text.n] = '\0';
        ret_ids->kept = hf_hex_decode(hex, ret_ids->keys, sizeof(ret_ids->keys)) == 0;
        if (ret_ids->kept)
            return 0;
    }
    for (size_t i = 0; i < HF_LEN(ret_ids->keys) * 2 && ret_ids->keys[1][1] == 0; i++)
        ret_ids->keys[i / 2][i % 2] = rand->u64(rand->ctx);
    if (r < 0 && r != -ENOENT && !hf_file_is_damage(r))
        return r; /* the disk may give it back at the next start */
    (void)hf_hex_encode(ret_ids->keys, sizeof(ret_ids->keys), hex);
    r = hf_file_replace(fs, path, hex, sizeof(hex) - 1, 0600, err);
    ret_ids->kept = r == 0;
    return r;
}

struct hf_view hf_own_ids_make(const struct hf_own_ids *ids, struct hf_view id, char text[static HF_OWN_ID_TEXT])
{
    int n = snprintf(text, HF_OWN_ID_TEXT, "%c%016llx%016llx", id.p[0],
                     (unsigned long long)hf_siphash(ids->keys[0], id.p, id.n),
                     (unsigned long long)hf_siphash(ids->keys[1], id.p, id.n));

    return (struct hf_view){text, (size_t)n};
}
