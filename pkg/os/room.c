/* SPDX-License-Identifier: Apache-2.0 */
/* The memory that this process may use, and the OOM kills around it, from the files of cgroups v1 and v2 and /proc.
 * The room is the least of half of MemAvailable and of what each limit leaves.
 *
 * /proc/self/cgroup names the own cgroup, and mountinfo says where its file system is mounted. The search looks at
 * the own cgroup and at each one above it up to the top of the mount, because a limit anywhere on the way counts for
 * all below. Memory that the kernel can drop is left out of what is used.
 *
 * A container may see its cgroup under another name than the host, or only a part of the tree. Then the search
 * begins at the top of the mount, which is the own cgroup or one above it. An unreadable file is no limit. */
#include "os/room.h"

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/macros.h"
#include "base/parse.h"
#include "os/file.h"

/* 16 MiB of cached pages, without which an update of a second takes minutes; 8 MiB for other work. */
#define HF_ROOM_HEADROOM_BYTES (UINT64_C(24) << 20)

enum { MAX_TEXT = 1 << 20, MAX_MOUNTS = 4 };

/* The limit of a v1 cgroup without a limit is the largest that its counter of pages can hold: 2^63 rounded down to a
 * page. */
#define NO_LIMIT (UINT64_C(1) << 62)

/* ---- small files ------------------------------------------------------------------------------------------------- */

struct room_tree {
    const struct hf_fs_ops *fs;
    const char *root;
};

static bool read_text(const struct room_tree *tree, const char *path, struct hf_buf *text)
{
    char full[PATH_MAX];

    return (size_t)snprintf(full, sizeof(full), "%s%s", tree->root, path) < sizeof(full) &&
           hf_file_read(tree->fs, full, text, NULL) == 0;
}

/* Reads the number at the start of a file, or after the line start `label`. False: there is none, or it is "max". */
static bool number_in(const struct hf_buf *text, const char *label, uint64_t *ret_value)
{
    struct hf_view rest = hf_buf_view(text), line;
    char digits[24];

    while (hf_view_split(&rest, '\n', &line)) {
        size_t skip = label == NULL ? 0 : strlen(label);
        if (label != NULL && !hf_view_starts(line, label))
            continue;
        while (skip < line.n && line.p[skip] == ' ')
            skip++;
        size_t n = 0;
        while (skip + n < line.n && line.p[skip + n] >= '0' && line.p[skip + n] <= '9')
            n++;
        if (n == 0 || n >= sizeof(digits))
            return false;
        memcpy(digits, line.p + skip, n);
        digits[n] = '\0';
        return hf_parse_u64(digits, 0, UINT64_MAX, ret_value) == 0;
    }
    return false;
}

static bool read_number(const struct room_tree *tree, const char *path, const char *label, uint64_t *ret_value)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(MAX_TEXT);

    return read_text(tree, path, &text) && number_in(&text, label, ret_value);
}

/* ---- where the groups are ---------------------------------------------------------------------------------------- */

/* The two versions of cgroups, with the names of their files. */
struct cgroup_version {
    const char *filesystem, *controller; /* in mountinfo; controller "": any */
    const char *usual;                   /* mount point, if mountinfo is unreadable */
    const char *limits[2], *used, *file_pages[2], *kills;
};

static const struct cgroup_version versions[] = {
    {"cgroup2",
     "",
     "/sys/fs/cgroup",
     {"memory.max", "memory.high"},
     "memory.current",
     {"inactive_file ", "active_file "},
     "memory.events"},
    {"cgroup",
     "memory",
     "/sys/fs/cgroup/memory",
     {"memory.limit_in_bytes", NULL},
     "memory.usage_in_bytes",
     {"total_inactive_file ", "total_active_file "},
     "memory.oom_control"},
};

struct cgroup_place {
    char point[PATH_MAX]; /* mount point of its file system */
    char below[PATH_MAX]; /* path from there to the cgroup, "" or "/a/b", as far as this process sees it */
};

static bool has_word(struct hf_view list, const char *word)
{
    struct hf_view one;

    while (hf_view_split(&list, ',', &one))
        if (hf_view_eq(one, word))
            return true;
    return false;
}

/* Finds the own cgroup's path in the text of /proc/self/cgroup: "4:cpu,memory:/a/b", "0::/a/b". */
static bool find_own(const struct cgroup_version *version, const struct hf_buf *cgroups, struct hf_view *ret_path)
{
    struct hf_view rest = hf_buf_view(cgroups), line, id, controllers;

    while (hf_view_split(&rest, '\n', &line)) {
        if (!hf_view_split(&line, ':', &id) || !hf_view_split(&line, ':', &controllers) || line.n == 0)
            continue;
        bool ours = version->controller[0] == '\0' ? controllers.n == 0 : has_word(controllers, version->controller);
        if (!ours)
            continue;
        *ret_path = line;
        return true;
    }
    return false;
}

/* Decodes blanks, tabs, line ends and backslashes, which mountinfo writes in octal. */
static bool unescape(struct hf_view field, char *text, size_t n)
{
    size_t have = 0;

    for (size_t i = 0; i < field.n && have + 1 < n; i++) {
        unsigned c = (unsigned char)field.p[i];
        if (c == '\\' && i + 3 < field.n) {
            c = (unsigned)(field.p[i + 1] - '0') << 6 | (unsigned)(field.p[i + 2] - '0') << 3 |
                (unsigned)(field.p[i + 3] - '0');
            i += 3;
        }
        text[have++] = (char)c;
    }
    text[have] = '\0';
    return have + 1 < n;
}

static bool climbs(const char *path)
{
    const char *dots = strstr(path, "/..");

    return dots != NULL && (dots[3] == '/' || dots[3] == '\0');
}

/* Computes the path from the root of a mount to the cgroup. If the cgroup's path is not below that root (a container
 * that sees neither the host's names nor a namespace of its own), takes the top of the mount: a cgroup above, or the
 * own one. */
static void find_below(const char *root, struct hf_view own, char below[PATH_MAX])
{
    char path[PATH_MAX];
    size_t n = strcmp(root, "/") == 0 ? 0 : strlen(root);

    below[0] = '\0';
    (void)snprintf(path, sizeof(path), "%.*s", (int)HF_MIN(own.n, sizeof(path) - 1), own.p);
    if (climbs(root) || climbs(path) || strncmp(path, root, n) != 0 || (path[n] != '/' && path[n] != '\0') ||
        strcmp(path + n, "/") == 0)
        return;
    (void)snprintf(below, PATH_MAX, "%s", path + n);
}

/* "36 31 0:33 /root /mount/point rw,x shared:1 - cgroup source rw,memory" */
static bool read_mount(struct hf_view line, const struct cgroup_version *version, struct hf_view own,
                       struct cgroup_place *ret_group)
{
    struct hf_view fields[5], type, source, word;
    char root[PATH_MAX];

    for (size_t i = 0; i < HF_LEN(fields); i++)
        if (!hf_view_split(&line, ' ', &fields[i]))
            return false;
    do {
        if (!hf_view_split(&line, ' ', &word))
            return false;
    } while (!hf_view_eq(word, "-"));
    if (!hf_view_split(&line, ' ', &type) || !hf_view_split(&line, ' ', &source) ||
        !hf_view_eq(type, version->filesystem) ||
        (version->controller[0] != '\0' && !has_word(line, version->controller)) ||
        !unescape(fields[3], root, sizeof(root)) || !unescape(fields[4], ret_group->point, sizeof(ret_group->point)))
        return false;
    find_below(root, own, ret_group->below);
    return true;
}

/* Visits the own cgroup, once for each mount that shows it. */
static void each_group(const struct room_tree *tree, const struct cgroup_version *version, const struct hf_buf *cgroups,
                       void (*visit)(void *arg, const struct cgroup_version *version, const struct cgroup_place *group),
                       void *arg)
{
    _cleanup_(hf_buf_done) struct hf_buf mounts = HF_BUF_INIT(MAX_TEXT);
    struct hf_view own, rest, line;
    struct cgroup_place group;
    unsigned n = 0;

    if (!find_own(version, cgroups, &own))
        return;
    (void)read_text(tree, "/proc/self/mountinfo", &mounts);
    rest = hf_buf_view(&mounts);
    while (n < MAX_MOUNTS && hf_view_split(&rest, '\n', &line)) {
        if (!read_mount(line, version, own, &group))
            continue;
        visit(arg, version, &group);
        n++;
    }
    if (mounts.n > 0)
        return;
    (void)snprintf(group.point, sizeof(group.point), "%s", version->usual);
    find_below("/", own, group.below);
    visit(arg, version, &group);
}

static void each_version(const struct room_tree *tree,
                         void (*visit)(void *arg, const struct cgroup_version *version,
                                       const struct cgroup_place *group),
                         void *arg)
{
    _cleanup_(hf_buf_done) struct hf_buf cgroups = HF_BUF_INIT(MAX_TEXT);

    (void)read_text(tree, "/proc/self/cgroup", &cgroups);
    for (size_t i = 0; i < HF_LEN(versions); i++)
        each_group(tree, &versions[i], &cgroups, visit, arg);
}

/* Goes to the cgroup above; false: this was the top. */
static bool go_up(struct cgroup_place *group)
{
    char *slash = strrchr(group->below, '/');

    if (slash == NULL)
        return false;
    *slash = '\0';
    return true;
}

static const char *file_of(const struct cgroup_place *group, const char *name, char path[PATH_MAX])
{
    if (snprintf(path, PATH_MAX, "%.2000s%.2000s/%.64s", group->point, group->below, name) >= PATH_MAX)
        path[0] = '\0';
    return path;
}

/* ---- room -------------------------------------------------------------------------------------------------------- */

struct room_search {
    const struct room_tree *tree;
    struct hf_room *room;
};

/* Returns the memory in use, without what the kernel can drop. */
static uint64_t used_in(const struct room_tree *tree, const struct cgroup_version *version,
                        const struct cgroup_place *group)
{
    _cleanup_(hf_buf_done) struct hf_buf stat = HF_BUF_INIT(MAX_TEXT);
    char path[PATH_MAX];
    uint64_t used = 0, pages;

    if (!read_number(tree, file_of(group, version->used, path), NULL, &used) ||
        !read_text(tree, file_of(group, "memory.stat", path), &stat))
        return used;
    for (size_t i = 0; i < HF_LEN(version->file_pages); i++)
        if (number_in(&stat, version->file_pages[i], &pages))
            used -= HF_MIN(used, pages);
    return used;
}

static void look_at(const struct room_search *search, const struct cgroup_version *version,
                    const struct cgroup_place *group)
{
    struct hf_room *room = search->room;
    char path[PATH_MAX];
    uint64_t limit;

    for (size_t i = 0; i < HF_LEN(version->limits) && version->limits[i] != NULL; i++) {
        if (!read_number(search->tree, file_of(group, version->limits[i], path), NULL, &limit) || limit >= NO_LIMIT)
            continue;
        uint64_t taken = used_in(search->tree, version, group) + HF_ROOM_HEADROOM_BYTES;
        uint64_t left = limit > taken ? limit - taken : 0;
        if (left >= room->bytes)
            continue;
        room->bytes = left;
        (void)snprintf(room->bound, sizeof(room->bound), "%.24s of cgroup %.76s", version->limits[i],
                       group->below[0] != '\0' ? group->below : "/");
    }
}

static void look_up_from(void *arg, const struct cgroup_version *version, const struct cgroup_place *group)
{
    struct cgroup_place at = *group;

    do
        look_at(arg, version, &at);
    while (go_up(&at));
}

void hf_room_memory(const struct hf_fs_ops *fs, const char *root, struct hf_room *ret_room)
{
    const struct room_tree tree = {fs, root};
    struct room_search search = {&tree, ret_room};
    uint64_t kibibytes;

    *ret_room = (struct hf_room){.bytes = UINT64_MAX};
    if (read_number(&tree, "/proc/meminfo", "MemAvailable:", &kibibytes) && kibibytes < UINT64_MAX / 1024) {
        ret_room->bytes = kibibytes * 1024 / 2;
        (void)snprintf(ret_room->bound, sizeof(ret_room->bound), "half of MemAvailable");
    }
    each_version(&tree, look_up_from, &search);
}

/* ---- kills ------------------------------------------------------------------------------------------------------- */

struct kills_search {
    const struct room_tree *tree;
    struct hf_room_kills *kills;
};

static void count_kills(void *arg, const struct cgroup_version *version, const struct cgroup_place *group)
{
    const struct kills_search *search = arg;
    struct cgroup_place at = *group;
    char path[PATH_MAX];
    uint64_t n;

    if (read_number(search->tree, file_of(&at, version->kills, path), "oom_kill ", &n))
        search->kills->own += n;
    if (go_up(&at) && read_number(search->tree, file_of(&at, version->kills, path), "oom_kill ", &n))
        search->kills->above += n;
}

void hf_room_kills(const struct hf_fs_ops *fs, const char *root, struct hf_room_kills *ret_kills)
{
    const struct room_tree tree = {fs, root};
    struct kills_search search = {&tree, ret_kills};

    *ret_kills = (struct hf_room_kills){0, 0};
    each_version(&tree, count_kills, &search);
}
