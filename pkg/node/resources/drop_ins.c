/* SPDX-License-Identifier: Apache-2.0 */
#include "node/resources/drop_ins.h"

#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/strmap.h"

enum { HF_DROP_INS_MAX = 128 }; /* further names are left out */

struct drop_ins {
    struct hf_strmap folders; /* by name of file */
    const char *folder, *suffix;
};

static int collect(void *arg, const char *name)
{
    struct drop_ins *drop_ins = arg;
    size_t n = strlen(name), suffix = strlen(drop_ins->suffix);

    if (n <= suffix || strcmp(name + n - suffix, drop_ins->suffix) != 0)
        return 0;
    if (drop_ins->folders.n >= HF_DROP_INS_MAX && hf_strmap_get(&drop_ins->folders, name) == NULL)
        return 0;
    return hf_strmap_put(&drop_ins->folders, name, (void *)(uintptr_t)drop_ins->folder);
}

void hf_drop_ins_each(const struct hf_probe_root *at, const char *const *folders, size_t n_folders, const char *suffix,
                      void (*take)(void *arg, const char *path), void *arg)
{
    struct drop_ins drop_ins = {.suffix = suffix};
    char path[PATH_MAX];

    for (size_t i = 0; i < n_folders; i++) {
        drop_ins.folder = folders[i];
        (void)hf_probe_each(at, folders[i], collect, &drop_ins);
    }
    for (size_t i = 0; i < drop_ins.folders.n; i++) {
        (void)snprintf(path, sizeof(path), "%s/%s", (const char *)drop_ins.folders.entries[i].value,
                       drop_ins.folders.entries[i].key);
        take(arg, path);
    }
    hf_strmap_done(&drop_ins.folders);
}
