/* SPDX-License-Identifier: Apache-2.0 */
/* As containerd's cmd/containerd/server/config/config.go, LoadConfig() does: a file comes before all that it imports,
 * the imports of all files in the order in which they stand there, those of a pattern by their names, and each file
 * once. Only what a file names is read: /etc/containerd/conf.d is in the file that `containerd config default` prints
 * since 2.2, and nothing reads it without that line. */
#include "agent/images/runtime_files.h"

#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "os/dir.h"
#include "os/file.h"

enum { MAX_TOML = 1 << 20, MAX_FILES = 64, MAX_PATH = 512 };

struct toml_reading {
    const struct hf_fs_ops *fs;
    char (*files)[MAX_PATH]; /* to read, in order */
    unsigned n;
    char folder[MAX_PATH]; /* of the pattern that is looked for */
    const char *pattern;
};

static int push(struct toml_reading *reading, const char *path)
{
    for (unsigned i = 0; i < reading->n; i++)
        if (strcmp(reading->files[i], path) == 0)
            return 0;
    if (reading->n == MAX_FILES)
        return -E2BIG;
    return snprintf(reading->files[reading->n++], MAX_PATH, "%s", path) < MAX_PATH ? 0 : -ENAMETOOLONG;
}

static int match(void *arg, const char *name, unsigned char type)
{
    struct toml_reading *reading = arg;
    char path[PATH_MAX];

    (void)type;
    if (fnmatch(reading->pattern, name, 0) != 0)
        return 0;
    (void)snprintf(path, sizeof(path), "%s/%s", reading->folder, name);
    return push(reading, path);
}

/* `import` of the file `parent`. */
static int resolve(struct toml_reading *reading, const char *parent, const char *import)
{
    const struct hf_fs_ops *fs = reading->fs;
    char folder[MAX_PATH] = "", path[MAX_PATH + 260];
    unsigned before = reading->n;

    if (import[0] != '/') {
        (void)hf_dir_of_path(parent, folder, sizeof(folder));
        (void)snprintf(path, sizeof(path), "%s/%s", folder, import);
    } else {
        (void)snprintf(path, sizeof(path), "%s", import);
    }
    if (strchr(path, '*') == NULL)
        return push(reading, path);
    reading->pattern = hf_dir_of_path(path, reading->folder, sizeof(reading->folder));
    if (strchr(reading->folder, '*') != NULL)
        return -EOPNOTSUPP; /* nobody writes that */
    int dir = fs->openat(fs->ctx, AT_FDCWD, reading->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0, HF_FS_ANY);
    if (dir < 0)
        return dir == -ENOENT ? 0 : dir;
    int r = fs->list(fs->ctx, dir, match, reading);
    (void)fs->close(fs->ctx, dir);
    qsort(reading->files + before, reading->n - before, sizeof(reading->files[0]), hf_array_by_text);
    return r;
}

static int read_one(struct toml_reading *reading, unsigned which, struct hf_image_runtime *runtime)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(MAX_TOML);
    struct hf_image_imports imports;

    int r = hf_file_read(reading->fs, reading->files[which], &text, NULL);
    if (r < 0)
        return r;
    hf_image_runtime_read(runtime, hf_buf_str(&text), &imports);
    for (unsigned i = 0; r == 0 && i < imports.n; i++)
        r = resolve(reading, reading->files[which], imports.path[i]);
    return imports.lost ? -E2BIG : r;
}

bool hf_image_runtime_load(const struct hf_fs_ops *fs, const char *path, struct hf_image_runtime *ret_runtime)
{
    struct hf_image_runtime runtime = {.folder = HF_IMAGE_VERIFIER_DIR};
    struct toml_reading reading = {.fs = fs, .files = malloc(MAX_FILES * sizeof(*reading.files))};

    int r = reading.files != NULL ? push(&reading, path) : -ENOMEM;
    for (unsigned i = 0; r == 0 && i < reading.n; i++)
        r = read_one(&reading, i, &runtime);
    free(reading.files);
    *ret_runtime = runtime;
    return r == 0;
}
