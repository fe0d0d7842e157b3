/* SPDX-License-Identifier: Apache-2.0 */
#include "manifests/files/mount_table.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "os/file.h"

/* A line of the file has at least this number of bytes. */
enum { LEAST_LINE = 20, MAX_MOUNTS = HF_MOUNT_TABLE_MAX_BYTES / LEAST_LINE };

void hf_mount_table_done(struct hf_mount_table *table)
{
    free(table->mounts);
    hf_buf_done(&table->text);
    *table = (struct hf_mount_table)HF_MOUNT_TABLE_INIT;
}

/* Cuts the next field off, and decodes blanks, tabs, line ends and backslashes, which the kernel writes in octal. */
static char *take_field(char **line)
{
    char *field = *line, *to = field, *from = field;

    for (; *from != '\0' && *from != ' '; to++) {
        if (from[0] == '\\' && from[1] >= '0' && from[1] <= '3' && from[2] >= '0' && from[2] <= '7' && from[3] >= '0' &&
            from[3] <= '7') {
            *to = (char)((from[1] - '0') << 6 | (from[2] - '0') << 3 | (from[3] - '0'));
            from += 4;
        } else {
            *to = *from++;
        }
    }
    *line = *from == ' ' ? from + 1 : from;
    *to = '\0';
    return field;
}

/* Returns the folder that takes the writes of an overlay, from "options ... - type source options" of its line. Only a
 * path from the root counts: where another one begins, only who made the mount knows. */
static const char *upper_of(char *line)
{
    static const char key[] = "upperdir=";
    char *rest = strstr(line, " - overlay ");

    if (rest == NULL)
        return NULL;
    rest += strlen(" - overlay ");
    (void)take_field(&rest);
    for (char *option = rest; option != NULL; option = strchr(option, ',')) {
        option += *option == ',';
        if (strncmp(option, key, sizeof(key) - 1) != 0)
            continue;
        option += sizeof(key) - 1;
        option[strcspn(option, ",")] = '\0'; /* a comma in the path is "\054" */
        return option[0] == '/' ? take_field(&option) : NULL;
    }
    return NULL;
}

/* "36 35 98:0 /root /point options ..." */
static int add_line(struct hf_mount_table *table, char *line)
{
    struct hf_mount mount = {.id = (unsigned)strtoul(take_field(&line), NULL, 10)};

    mount.parent = (unsigned)strtoul(take_field(&line), NULL, 10);
    mount.device = take_field(&line);
    mount.root = take_field(&line);
    mount.point = take_field(&line);
    mount.upper = upper_of(line);
    if (mount.root[0] != '/' || mount.point[0] != '/') /* "pipe:[1]" of nsfs is below nothing */
        return 0;
    int r = hf_array_grow(table->mounts, table->n, table->cap, MAX_MOUNTS);
    if (r == 0)
        table->mounts[table->n++] = mount;
    return r;
}

static int by_point(const void *a, const void *b)
{
    return strcmp(((const struct hf_mount *)a)->point, ((const struct hf_mount *)b)->point);
}

int hf_mount_table_read(const struct hf_fs_ops *fs, struct hf_mount_table *table, struct hf_err *err)
{
    int r = hf_file_read(fs, "/proc/self/mountinfo", &table->text, err);

    if (r < 0)
        return r == -ENOENT || r == -ENOTDIR ? 0 : r;
    for (char *line = table->text.p, *end; r == 0 && line != NULL && (end = strchr(line, '\n')) != NULL;
         line = end + 1) {
        *end = '\0';
        r = add_line(table, line);
    }
    if (r < 0)
        return hf_err_sys(err, r, "read the mounts of this process");
    if (table->n > 1)
        qsort(table->mounts, table->n, sizeof(*table->mounts), by_point);
    return 0;
}

static bool has_id(const struct hf_mount_table *table, unsigned id)
{
    for (size_t i = 0; i < table->n; i++)
        if (table->mounts[i].id == id)
            return true;
    return false;
}

/* Returns the mount at the first n bytes of `path` that lies on the mount `below`. NULL for `below`: the mount of the
 * root, which lies on none that this process sees. */
static const struct hf_mount *mount_on(const struct hf_mount_table *table, const char *path, size_t n,
                                       const struct hf_mount *below)
{
    size_t first = hf_array_lower_bound(i, table->n, strncmp(table->mounts[i].point, path, n) < 0);

    for (size_t i = first; i < table->n; i++) {
        const struct hf_mount *mount = &table->mounts[i];
        if (strncmp(mount->point, path, n) != 0 || mount->point[n] != '\0')
            return NULL;
        bool lies_on = below != NULL ? mount->parent == below->id && mount->id != below->id
                                     : mount->parent == mount->id || !has_id(table, mount->parent);
        if (lies_on)
            return mount;
    }
    return NULL;
}

/* From one component of the path to the next, as the kernel walks: a mount that another one hides is never reached. */
const struct hf_mount *hf_mount_table_find(const struct hf_mount_table *table, const char *path)
{
    const struct hf_mount *at = path[0] == '/' ? mount_on(table, path, 1, NULL) : NULL, *upper;
    size_t all = strlen(path), n = 1, steps = table->n;

    while (at != NULL) {
        while (steps-- > 0 && (upper = mount_on(table, path, n, at)) != NULL)
            at = upper;
        if (n >= all || steps > table->n)
            break;
        n += n == 1 ? strcspn(path + 1, "/") : 1 + strcspn(path + n + 1, "/");
    }
    return at;
}

bool hf_mount_table_is_point(const struct hf_mount_table *table, const char *path)
{
    const struct hf_mount *mount = hf_mount_table_find(table, path);

    return mount != NULL && strcmp(mount->point, path) == 0;
}

int hf_mount_table_origin(const struct hf_mount *mount, const char *path, char *origin, size_t n)
{
    size_t skip = strcmp(mount->point, "/") == 0 ? 0 : strlen(mount->point);
    const char *root = strcmp(mount->root, "/") == 0 ? "" : mount->root, *rest = path + skip;
    int have = snprintf(origin, n, "%s%s", root, strcmp(rest, "/") == 0 && root[0] != '\0' ? "" : rest);

    if (have == 0)
        have = snprintf(origin, n, "/");
    return have < 0 || (size_t)have >= n ? -ENAMETOOLONG : 0;
}
