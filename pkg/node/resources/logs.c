/* SPDX-License-Identifier: Apache-2.0 */
/* Whether logs may fill this node's disk: the limits of journald and Docker, and the largest files that nothing
 * rotates.
 *
 * Walks /var/log for the largest files, and if there is one that matters, reads the entries of logrotate to see if
 * they cover it; most nodes have no such file and do not pay for it. Then reads the configuration as the programs
 * do: for journald the first file that exists and then its drop-ins, of which a later line wins; for Docker the
 * driver and its limit. Nothing is changed, and a file that cannot be read is treated as absent. */
#include "node/resources/logs.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/view.h"
#include "codec/json.h"
#include "node/resources/drop_ins.h"
#include "node/resources/words.h"

enum {
    HF_LOGS_MAX_ENTRIES = 8192,
    HF_LOGS_MAX_DEPTH = 6,
    HF_LOGS_JOURNAL_PERCENT = 20,  /* of the disk */
    HF_LOGS_CONTAINER_PERCENT = 5, /* of the disk, for one container */
};

enum { FILE_BYTES = 64 * 1024, MAX_FILES = 128 };

/* ---- journald ---------------------------------------------------------------------------------------------------- */

/* Reads a number with an optional fraction and an optional unit, and moves *text behind it. `units` are the units that
 * may still come: each is used once, from the largest down. */
static bool take_size(const char **text, const char **units, uint64_t *ret)
{
    const char *at = *text + strspn(*text, " \t");
    char *end;
    double fraction = 0, scale = 0.1;

    if (!isdigit((unsigned char)*at))
        return false;
    errno = 0;
    uint64_t value = strtoull(at, &end, 10);
    if (*end == '.')
        while (isdigit((unsigned char)*++end)) {
            fraction += scale * (*end - '0');
            scale /= 10;
        }
    end += strspn(end, " \t");
    const char *unit = *end != '\0' ? strchr(*units, *end) : NULL;
    size_t power = unit != NULL ? strlen(unit) - 1 : 0; /* the last unit is B */
    if (errno != 0 || value > UINT64_MAX >> (10 * power))
        return false;
    *ret = (value << (10 * power)) + (uint64_t)(fraction * (double)(UINT64_C(1) << (10 * power)));
    *units = unit != NULL ? unit + 1 : "";
    *text = end + (unit != NULL);
    return true;
}

uint64_t hf_logs_journal_size(const char *text)
{
    const char *units = "EPTGMKB";
    uint64_t sum = 0, one;

    do
        if (!take_size(&text, &units, &one) || sum > UINT64_MAX - one)
            return 0;
        else
            sum += one;
    while (*text != '\0');
    return sum;
}

struct journal_settings {
    const struct hf_probe_root *at;
    char *text; /* room for a file */
    char storage[16];
    uint64_t max_bytes;
};

static void trim(struct hf_view *view)
{
    while (view->n > 0 && isspace((unsigned char)view->p[0]))
        *view = (struct hf_view){view->p + 1, view->n - 1};
    while (view->n > 0 && isspace((unsigned char)view->p[view->n - 1]))
        view->n--;
}

/* A later line wins. journald ignores a value that it cannot read. */
static void take_setting(struct journal_settings *journald, struct hf_view line)
{
    struct hf_view key = line, value;
    const char *equals = memchr(line.p, '=', line.n);
    char text[64];

    if (equals == NULL)
        return;
    key.n = (size_t)(equals - line.p);
    value = (struct hf_view){equals + 1, line.n - key.n - 1};
    trim(&key);
    trim(&value);
    (void)snprintf(text, sizeof(text), "%.*s", (int)HF_MIN(value.n, sizeof(text) - 1), value.p);
    if (hf_view_eq(key, "SystemMaxUse") && hf_logs_journal_size(text) != 0)
        journald->max_bytes = hf_logs_journal_size(text);
    else if (hf_view_eq(key, "Storage"))
        (void)snprintf(journald->storage, sizeof(journald->storage), "%.15s", text);
}

static void take_journald(void *arg, const char *path)
{
    struct journal_settings *journald = arg;
    struct hf_view rest, line;

    if (!hf_probe_text(journald->at, path, journald->text, FILE_BYTES))
        return;
    rest = hf_view_of(journald->text);
    while (hf_view_split(&rest, '\n', &line))
        take_setting(journald, line);
}

/* The first configuration file that exists counts, and then the drop-ins. */
static void read_journald(const struct hf_probe_root *at, char *text, struct journal_settings *ret)
{
    static const char *const files[] = {"/etc/systemd/journald.conf", "/run/systemd/journald.conf",
                                        "/usr/local/lib/systemd/journald.conf", "/usr/lib/systemd/journald.conf"};
    static const char *const folders[] = {"/usr/lib/systemd/journald.conf.d", "/usr/local/lib/systemd/journald.conf.d",
                                          "/run/systemd/journald.conf.d", "/etc/systemd/journald.conf.d"};
    size_t i = 0;

    *ret = (struct journal_settings){.at = at, .text = text, .storage = "auto"};
    while (i < HF_LEN(files) && !hf_probe_exists(at, files[i]))
        i++;
    if (i < HF_LEN(files))
        take_journald(ret, files[i]);
    hf_drop_ins_each(at, folders, HF_LEN(folders), ".conf", take_journald, ret);
}

/* ---- Docker ------------------------------------------------------------------------------------------------------ */

static bool docker_unbounded(const struct hf_probe_root *at, char *text)
{
    _cleanup_(hf_json_freep) json_t *json = NULL;

    if (!hf_probe_exists(at, "/var/lib/docker/containers"))
        return false;
    if (!hf_probe_text(at, "/etc/docker/daemon.json", text, FILE_BYTES) ||
        hf_json_parse(hf_view_of(text), NULL, &json, NULL) < 0)
        return true; /* json-file without a limit is Docker's default */
    if (strcmp(hf_json_str_or(json, "log-driver", "json-file"), "json-file") != 0)
        return false;
    return json_object_get(hf_json_at(json, "log-opts"), "max-size") == NULL;
}

/* ---- the largest files ------------------------------------------------------------------------------------------- */

struct logs_walk {
    const struct hf_fs_ops *fs;
    struct hf_logs_file *biggest;
    unsigned entries;
    size_t root; /* length of the root in `path` */
    int dirfd;
    unsigned depth;
    char path[PATH_MAX];
};

static void keep_if_big(struct logs_walk *walk, const char *path, uint64_t bytes)
{
    size_t at = HF_LOGS_BIGGEST;

    while (at > 0 && bytes > walk->biggest[at - 1].bytes)
        at--;
    if (at == HF_LOGS_BIGGEST || strlen(path) >= sizeof(walk->biggest[0].path))
        return;
    memmove(&walk->biggest[at + 1], &walk->biggest[at], (HF_LOGS_BIGGEST - 1 - at) * sizeof(walk->biggest[0]));
    walk->biggest[at] = (struct hf_logs_file){.bytes = bytes};
    (void)snprintf(walk->biggest[at].path, sizeof(walk->biggest[at].path), "%s", path);
}

static void walk_folder(struct logs_walk *walk, int dirfd, const char *name);

static int visit(void *arg, const char *name, unsigned char type)
{
    struct logs_walk *walk = arg;
    size_t at = strlen(walk->path);
    struct stat st;

    (void)type;
    if (++walk->entries > HF_LOGS_MAX_ENTRIES)
        return -ECANCELED;
    if (walk->fs->fstatat(walk->fs->ctx, walk->dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
        at + strlen(name) + 2 > sizeof(walk->path))
        return 0;
    (void)snprintf(walk->path + at, sizeof(walk->path) - at, "/%s", name);
    if (S_ISREG(st.st_mode))
        keep_if_big(walk, walk->path + walk->root, (uint64_t)st.st_blocks * 512);
    else if (S_ISDIR(st.st_mode) && strcmp(walk->path + walk->root, "/var/log/journal") != 0)
        walk_folder(walk, walk->dirfd, name);
    walk->path[at] = '\0';
    return 0;
}

static void walk_folder(struct logs_walk *walk, int dirfd,
                        const char *name) /* NOLINT(misc-no-recursion): bounded depth */
{
    int above = walk->dirfd;

    if (walk->depth == HF_LOGS_MAX_DEPTH)
        return;
    int fd =
        walk->fs->openat(walk->fs->ctx, dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0, HF_FS_ANY);
    if (fd < 0)
        return;
    walk->depth++;
    walk->dirfd = fd;
    (void)walk->fs->list(walk->fs->ctx, fd, visit, walk);
    walk->dirfd = above;
    walk->depth--;
    (void)walk->fs->close(walk->fs->ctx, fd);
}

bool hf_logs_is_rotated(const char *config, const char *path)
{
    struct hf_view rest = hf_view_of(config), line;

    while (hf_view_split(&rest, '\n', &line)) {
        char one[512];
        char *at = one, *word;
        (void)snprintf(one, sizeof(one), "%.*s", (int)HF_MIN(line.n, sizeof(one) - 1), line.p);
        while ((word = strsep(&at, " \t\"'{")) != NULL)
            if (word[0] == '#')
                break;
            else if (word[0] == '/' && fnmatch(word, path, FNM_PATHNAME) == 0)
                return true;
    }
    return false;
}

struct rotation {
    const struct hf_probe_root *at;
    struct hf_logs *logs;
    char *text;
    unsigned files;
};

static void take_rotation(struct rotation *rotation, const char *path)
{
    if (!hf_probe_text(rotation->at, path, rotation->text, FILE_BYTES))
        return;
    for (size_t i = 0; i < HF_LOGS_BIGGEST; i++)
        if (rotation->logs->biggest[i].bytes >= HF_LOGS_FILE_BYTES &&
            hf_logs_is_rotated(rotation->text, rotation->logs->biggest[i].path))
            rotation->logs->biggest[i].rotated = true;
}

static int each_rotation(void *arg, const char *name)
{
    struct rotation *rotation = arg;
    char path[PATH_MAX];

    (void)snprintf(path, sizeof(path), "/etc/logrotate.d/%s", name);
    take_rotation(rotation, path);
    return ++rotation->files >= MAX_FILES ? -ECANCELED : 0;
}

/* Most nodes have no such file, and the entries of logrotate are then not read. */
static void read_rotation(const struct hf_probe_root *at, char *text, struct hf_logs *logs)
{
    struct rotation rotation = {.at = at, .logs = logs, .text = text};

    if (logs->biggest[0].bytes < HF_LOGS_FILE_BYTES)
        return;
    take_rotation(&rotation, "/etc/logrotate.conf");
    (void)hf_probe_each(at, "/etc/logrotate.d", each_rotation, &rotation);
}

/* ---- all --------------------------------------------------------------------------------------------------------- */

static uint64_t disk_bytes(const struct hf_fs_ops *fs, const char *path)
{
    struct statvfs st;
    int fd = fs->openat(fs->ctx, AT_FDCWD, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0, HF_FS_ANY);

    if (fd < 0)
        return 0;
    int r = fs->fstatvfs(fs->ctx, fd, &st);
    (void)fs->close(fs->ctx, fd);
    return r < 0 ? 0 : (uint64_t)st.f_blocks * st.f_frsize;
}

void hf_logs_read(const struct hf_probe_root *at, struct hf_logs *ret_logs)
{
    _cleanup_(hf_freep) char *text = malloc(FILE_BYTES);
    _cleanup_(hf_freep) struct logs_walk *walk = calloc(1, sizeof(*walk));
    struct journal_settings journald;

    *ret_logs = (struct hf_logs){.disk_bytes = 0};
    if (text == NULL || walk == NULL)
        return;
    *walk = (struct logs_walk){.fs = at->fs, .biggest = ret_logs->biggest, .root = strlen(at->root)};
    (void)snprintf(walk->path, sizeof(walk->path), "%s/var/log", at->root);
    ret_logs->disk_bytes = disk_bytes(at->fs, walk->path);
    walk_folder(walk, AT_FDCWD, walk->path);
    read_rotation(at, text, ret_logs);
    read_journald(at, text, &journald);
    ret_logs->journal_max_bytes = journald.max_bytes;
    ret_logs->journal_on_disk = strcmp(journald.storage, "persistent") == 0 ||
                                (strcmp(journald.storage, "auto") == 0 && hf_probe_exists(at, "/var/log/journal"));
    ret_logs->docker_unbounded = docker_unbounded(at, text);
    hf_kubelet_config_read(at, &ret_logs->kubelet);
}

#define ADD(...) (at = hf_words_add(text, n, at, __VA_ARGS__))
#define MIB(bytes) ((bytes) >> 20)

static bool is_of_container(const char *path)
{
    return strncmp(path, "/var/log/pods/", 14) == 0 || strncmp(path, "/var/log/containers/", 20) == 0;
}

static const char *judge_containers(const struct hf_logs *logs, char *text, size_t n)
{
    uint64_t files = logs->kubelet.log_max_files != 0 ? logs->kubelet.log_max_files : 5;
    uint64_t bytes = logs->kubelet.log_max_bytes * files;
    size_t at = strlen(text);

    if (logs->docker_unbounded) {
        ADD("%sDocker's logs have no maximum size: set log-opts max-size and max-file in /etc/docker/daemon.json",
            at > 0 ? "; " : "");
        return "ContainerLogsTooLarge";
    }
    if (logs->disk_bytes == 0 || bytes / HF_LOGS_CONTAINER_PERCENT <= logs->disk_bytes / 100)
        return NULL;
    ADD("%sthe log of one container may take %" PRIu64 " MiB: lower containerLogMaxSize or containerLogMaxFiles of the "
        "kubelet",
        at > 0 ? "; " : "", MIB(bytes));
    return "ContainerLogsTooLarge";
}

static const char *judge_files(const struct hf_logs *logs, char *text, size_t n)
{
    const char *reason = NULL;
    size_t at = strlen(text);

    for (size_t i = 0; i < HF_LOGS_BIGGEST; i++) {
        const struct hf_logs_file *file = &logs->biggest[i];
        if (file->bytes < HF_LOGS_FILE_BYTES || file->rotated)
            continue;
        ADD("%s%s has %" PRIu64 " MiB%s", at > 0 ? "; " : "", file->path, MIB(file->bytes),
            is_of_container(file->path) ? ": check the log rotation of the container runtime"
                                        : " and no entry of logrotate");
        reason = "FileTooLarge";
    }
    return reason;
}

const char *hf_logs_judge(const struct hf_logs *logs, char *text, size_t n)
{
    const char *reason = NULL, *found;
    size_t at = 0;

    text[0] = '\0';
    if (logs->journal_on_disk && logs->disk_bytes != 0 &&
        logs->journal_max_bytes / HF_LOGS_JOURNAL_PERCENT > logs->disk_bytes / 100) {
        ADD("journald may take %" PRIu64 " MiB of a disk of %" PRIu64 " MiB: lower SystemMaxUse in "
            "/etc/systemd/journald.conf",
            MIB(logs->journal_max_bytes), MIB(logs->disk_bytes));
        reason = "JournalTooLarge";
    }
    found = judge_containers(logs, text, n);
    reason = reason != NULL ? reason : found;
    found = judge_files(logs, text, n);
    return reason != NULL ? reason : found;
}
