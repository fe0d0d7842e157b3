/* SPDX-License-Identifier: Apache-2.0 */
/* One scan: list the names, match them with the files of the last scan, read those that have changed and settled.
 *
 * Names and files are both sorted, so one walk finds new, known and missing files. A missing file keeps its objects
 * until GONE_AFTER scans have missed it, because editors replace a file in two steps. A file whose stat or read fails
 * keeps the objects of its last good read, and makes the view incomplete: the objects of a missing file may have moved
 * into it. A file that is bad by its content is read again only when its stamp changes; other failures are tried again
 * in each scan. Issues are reported once for each change of a file, and those for which there was no room in a later
 * scan. */
#include "kube/folder/folder_scan.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "api/meta.h"
#include "base/array.h"
#include "base/clock.h"
#include "kube/folder/folder_objects.h"
#include "os/file.h"

enum {
    GONE_AFTER = 2,  /* scans in a row that must miss a file: editors replace it in two steps */
    OLD_PERIODS = 3, /* the times of some file systems are two seconds coarse */
};

/* ---- the files --------------------------------------------------------------------------------------------------- */

static void file_done(struct hf_folder_file *file)
{
    free(file->name);
    json_decref(file->objects);
}

void hf_folder_view_done(struct hf_folder_view *view)
{
    for (size_t i = 0; i < view->n; i++)
        file_done(&view->files[i]);
    free(view->files);
    memset(view, 0, sizeof(*view));
}

static void issue(struct hf_folder_view *view, const char *name, const struct hf_err *err)
{
    if (view->n_issues < HF_FOLDER_MAX_ISSUES) {
        struct hf_folder_issue *slot = &view->issues[view->n_issues];
        (void)snprintf(slot->what, sizeof(slot->what), "%s", name);
        slot->err = *err;
    }
    view->n_issues++;
}

/* Index of `name`, or the index where it belongs. */
static size_t place_of(const struct hf_folder_view *view, const char *name, bool *ret_found)
{
    size_t at = hf_array_lower_bound(i, view->n, strcmp(view->files[i].name, name) < 0);

    *ret_found = at < view->n && strcmp(view->files[at].name, name) == 0;
    return at;
}

static struct hf_folder_file *file_named(struct hf_folder_view *view, const char *name)
{
    bool found;
    size_t i = place_of(view, name, &found);

    if (found)
        return &view->files[i];
    if (view->n >= HF_FOLDER_MAX_FILES)
        return NULL;
    struct hf_folder_file *files = reallocarray(view->files, view->n + 1, sizeof(*files));
    if (files == NULL)
        return NULL;
    view->files = files;
    char *copy = strdup(name);
    if (copy == NULL)
        return NULL;
    memmove(&files[i + 1], &files[i], (view->n - i) * sizeof(*files));
    files[i] = (struct hf_folder_file){.name = copy};
    view->n++;
    return &files[i];
}

static bool is_ours(const char *name)
{
    static const char *const ends[] = {".yaml", ".yml", ".json"};
    size_t n = strlen(name);

    for (size_t i = 0; *name != '.' && i < HF_LEN(ends); i++) {
        size_t end = strlen(ends[i]);
        if (n > end && strcmp(name + n - end, ends[i]) == 0)
            return true;
    }
    return false;
}

/* ---- their objects ----------------------------------------------------------------------------------------------- */

/* Keeps an object of ours, skips others. */
static int keep(void *arg, const struct hf_folder_object *found, struct hf_err *err)
{
    json_t *objects = arg;
    const json_t *object = found->object;
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(2 * HF_API_MAX_OBJECT_BYTES);
    int r = hf_folder_object_check(object, err);

    if (r <= 0)
        return r;
    r = hf_json_format(object, &text);
    if (r == 0)
        r = json_array_append_new(objects, json_sprintf("%s/%s", hf_json_str_or(object, "kind", ""),
                                                        hf_json_str_or(object, "metadata.name", "")));
    if (r == 0)
        r = json_array_append_new(objects, json_stringn(text.p, text.n));
    return r == 0 ? 0 : hf_err_set(err, ENOMEM, "out of memory");
}

static int read_objects(const struct hf_fs_ops *fs, const char *dir, const char *name, json_t **ret_objects,
                        struct hf_err *err)
{
    static const struct hf_json_limits limits = {.max_bytes = HF_FOLDER_MAX_FILE_BYTES};
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(HF_FOLDER_MAX_FILE_BYTES);
    _cleanup_(hf_json_freep) json_t *documents = NULL, *objects = json_array();
    _cleanup_(hf_freep) char *path = hf_asprintf("%s/%s", dir, name);

    if (path == NULL || objects == NULL)
        return hf_err_set(err, ENOMEM, "out of memory");
    int r = hf_file_read(fs, path, &text, err);
    if (r == 0)
        r = hf_yaml_parse_all(hf_buf_view(&text), &limits, &documents, err); /* JSON is YAML */
    if (r == 0)
        r = hf_folder_each_object(documents, keep, objects, err);
    if (r < 0)
        return r;
    *ret_objects = hf_steal(objects);
    return 0;
}

/* ---- the scan ---------------------------------------------------------------------------------------------------- */

static bool same_stamp(const struct hf_folder_stamp *a, const struct hf_folder_stamp *b)
{
    return a->inode == b->inode && a->size == b->size && a->mtime_s == b->mtime_s && a->mtime_ns == b->mtime_ns;
}

bool hf_folder_is_good(const struct hf_folder_view *view, const char *name)
{
    bool found;
    size_t i = place_of(view, name, &found);

    if (view->left_out > 0 && strcmp(name, view->whole) == 0)
        return false;
    return !found || (!view->files[i].failed && view->files[i].objects != NULL &&
                      same_stamp(&view->files[i].stamp, &view->files[i].taken));
}

static int stamp_of(const struct hf_fs_ops *fs, int dirfd, const char *name, struct hf_folder_stamp *ret_stamp)
{
    struct stat st;
    int r = fs->fstatat(fs->ctx, dirfd, name, &st, 0);

    if (r < 0)
        return r;
    *ret_stamp = (struct hf_folder_stamp){
        .inode = st.st_ino, .size = (uint64_t)st.st_size, .mtime_s = st.st_mtim.tv_sec, .mtime_ns = st.st_mtim.tv_nsec};
    return S_ISREG(st.st_mode) ? 0 : -EINVAL;
}

static bool is_old(const struct hf_folder_stamp *stamp, uint64_t now_unix_ns, uint64_t period_ns)
{
    uint64_t then = (uint64_t)HF_MAX(stamp->mtime_s, 0) * HF_NS_PER_S + (uint64_t)stamp->mtime_ns;

    return then + OLD_PERIODS * period_ns <= now_unix_ns;
}

struct folder_scanning {
    const struct hf_fs_ops *fs;
    int dirfd;
    uint64_t now_unix_ns, period_ns;
    struct hf_folder_view *view;
};

/* Reports a failure once. A file that cannot be read now may be readable at the next scan; a file with bad content is
 * read again only when it has changed, or if this scan has no room to report it. */
static void fail_file(struct hf_folder_view *view, struct hf_folder_file *file, const struct hf_err *err)
{
    bool has_room = view->n_issues < HF_FOLDER_MAX_ISSUES;

    file->failed = true;
    if (!file->reported)
        issue(view, file->name, err);
    file->reported |= has_room;
    file->unreported = !file->reported;
    file->bad = file->reported && (err->code == EBADMSG || err->code == E2BIG);
}

static int see_file(void *arg, const char *name, unsigned char type)
{
    const struct folder_scanning *scan = arg;
    struct hf_folder_stamp stamp;
    struct hf_err err = HF_ERR_INIT;

    (void)type;
    if (!is_ours(name))
        return 0;
    int r = stamp_of(scan->fs, scan->dirfd, name, &stamp);
    if (r == -ENOENT || r == -EINVAL) /* just gone, or not a regular file */
        return 0;
    struct hf_folder_file *file = file_named(scan->view, name);
    if (file == NULL) {
        scan->view->left_out++;
        return 0;
    }
    file->missing = 0;
    if (r < 0) { /* it exists, and even stat fails */
        file->settled = false;
        (void)hf_err_sys(&err, r, "stat '%s'", name);
        fail_file(scan->view, file, &err);
        return 0;
    }
    file->settled = same_stamp(&stamp, &file->stamp) || is_old(&stamp, scan->now_unix_ns, scan->period_ns);
    if (!same_stamp(&stamp, &file->stamp))
        file->bad = file->reported = file->unreported = false;
    file->failed = file->bad;
    file->stamp = stamp;
    return 0;
}

static void read_file(const struct folder_scanning *scan, const char *dir, struct hf_folder_file *file)
{
    struct hf_err err = HF_ERR_INIT;
    struct hf_folder_stamp after;
    json_t *objects = NULL;

    if (!file->settled || file->bad || (file->objects != NULL && same_stamp(&file->stamp, &file->taken)))
        return;
    if (file->unreported && scan->view->n_issues >= HF_FOLDER_MAX_ISSUES) { /* another scan reports it */
        file->failed = true;
        return;
    }
    int r = read_objects(scan->fs, dir, file->name, &objects, &err);
    if (r == 0 && (stamp_of(scan->fs, scan->dirfd, file->name, &after) < 0 || !same_stamp(&after, &file->stamp))) {
        json_decref(objects); /* it changed while we read it: next time */
        return;
    }
    if (r < 0) {
        fail_file(scan->view, file, &err);
        return;
    }
    file->failed = file->reported = file->unreported = false;
    json_decref(file->objects);
    file->objects = objects;
    file->taken = file->stamp;
    scan->view->changed = true;
}

static void drop_missing(struct hf_folder_view *view)
{
    size_t kept = 0;

    for (size_t i = 0; i < view->n; i++) {
        if (view->files[i].missing >= GONE_AFTER)
            file_done(&view->files[i]);
        else
            view->files[kept++] = view->files[i];
    }
    view->changed |= kept != view->n;
    view->n = kept;
}

/* Reports once, and again when the number changes: not file by file, and not at every scan. */
static void report_left_out(struct hf_folder_view *view, const char *dir)
{
    struct hf_err err = HF_ERR_INIT;

    (void)snprintf(view->whole, sizeof(view->whole), "%s", dir);
    if (view->left_out > 0 && view->left_out != view->left_out_reported) {
        if (view->n_issues >= HF_FOLDER_MAX_ISSUES) /* the next scan has room */
            return;
        (void)hf_err_set(&err, E2BIG, "more than %d files: %zu of them are not read; put several objects into one file",
                         (int)HF_FOLDER_MAX_FILES, view->left_out);
        issue(view, view->whole, &err);
    }
    view->left_out_reported = view->left_out;
}

static bool is_complete(const struct hf_folder_view *view)
{
    if (view->left_out > 0) /* an object that moved may be there */
        return false;
    for (size_t i = 0; i < view->n; i++) {
        const struct hf_folder_file *file = &view->files[i];
        if (file->failed || file->missing > 0 || file->objects == NULL || !same_stamp(&file->stamp, &file->taken))
            return false;
    }
    return true;
}

void hf_folder_scan(const struct hf_fs_ops *fs, const char *dir, uint64_t now_unix_ns, uint64_t period_ns,
                    struct hf_folder_view *view)
{
    struct folder_scanning scan = {.fs = fs, .now_unix_ns = now_unix_ns, .period_ns = period_ns, .view = view};

    size_t left_out = view->left_out;
    view->n_issues = view->left_out = 0;
    view->changed = false;
    view->err = (struct hf_err)HF_ERR_INIT;
    scan.dirfd = fs->openat(fs->ctx, AT_FDCWD, dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0, HF_FS_ANY);
    view->r = scan.dirfd < 0 ? scan.dirfd : 0;
    if (view->r == 0) {
        for (size_t i = 0; i < view->n; i++)
            view->files[i].missing++;
        view->r = fs->list(fs->ctx, scan.dirfd, see_file, &scan);
        if (view->r < 0) /* none is missing for sure */
            for (size_t i = 0; i < view->n; i++)
                view->files[i].missing = 0;
    }
    if (view->r < 0) {
        view->left_out = left_out;
        (void)hf_err_sys(&view->err, view->r, "read folder '%s'", dir);
    }
    for (size_t i = 0; view->r == 0 && i < view->n; i++)
        read_file(&scan, dir, &view->files[i]);
    if (view->r == 0) {
        drop_missing(view);
        report_left_out(view, dir);
    }
    view->complete = view->r == 0 && is_complete(view);
    if (scan.dirfd >= 0)
        (void)fs->close(fs->ctx, scan.dirfd);
}
