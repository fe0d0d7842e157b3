/* SPDX-License-Identifier: Apache-2.0 */
/* pack-seeds FOLDER: inputs that fuzz_pack_apply begins with: deltas that look inside in short, by both profiles. Run it when the format
 * changes. */
#include <stdio.h>
#include <stdlib.h>

#include "pack/deep/deep.h"
#include "support/delta_io.h"
#include "support/makers/deep_short.h"

static int fail(const char *what)
{
    (void)fprintf(stderr, "pack-seeds: %s\n", what);
    return 1;
}

static int keep(const char *folder, unsigned change, enum hf_delta_profile profile)
{
    _cleanup_(hf_buf_done) struct hf_buf new_file = HF_BUF_INIT(1 << 16), patch = HF_BUF_INIT(1 << 20),
                                         seed = HF_BUF_INIT(1 << 20);
    const struct hf_deep_create_params params = {.delta = {.profile = profile, .threads = 1}, .inside = true};
    const struct hf_buf *old = deep_short_old();
    const struct hf_delta_out out = delta_io_out(&patch);
    struct hf_err err = HF_ERR_INIT;
    char path[4096];

    deep_short_file(change, &new_file);
    if (hf_deep_create(old->p, old->n, new_file.p, new_file.n, &params, &out, &err) < 0)
        return fail(err.cause);
    if (!deep_short_of(&patch, &seed))
        return fail("not a delta that looks inside");
    (void)snprintf(path, sizeof(path), "%s/every-%u-%s", folder, change, profile == HF_DELTA_SMALL ? "small" : "fast");
    FILE *file = fopen(path, "w");
    return file == NULL || fwrite(seed.p, 1, seed.n, file) != seed.n || fclose(file) != 0 ? fail(path) : 0;
}

int main(int argc, char **argv)
{
    static const unsigned changes[] = {2, 7, 40, 100};
    int r = 0;

    if (argc != 2)
        return fail("usage: pack-seeds FOLDER");
    for (unsigned i = 0; r == 0 && i < 2 * HF_LEN(changes); i++)
        r = keep(argv[1], changes[i / 2], i % 2 == 0 ? HF_DELTA_SMALL : HF_DELTA_FAST);
    return r;
}
