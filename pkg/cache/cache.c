/* SPDX-License-Identifier: Apache-2.0 */
/* Layout, and the invariants after a power cut at any call:
 *
 *   <dir>/<Kind>/<name>.json   each whole, old or new (durable replacement)
 *   <dir>/<Kind>.mark          the point to resume from: never newer than the objects. Without a resourceVersion
 *                              while an object is missing: the cache clears it before it sets a damaged entry
 *                              aside, so that a crash between the two cannot leave an incomplete cache that looks
 *                              complete
 *   <dir>/damaged/             at most HF_CACHE_MAX_DAMAGED files, for a person to examine
 *
 * A file has a header line (version and SHA-256) and the object; a name above 200 bytes is its first 150 and a hash. A
 * damaged entry, or one of another format, is set aside or deleted. */
#include "cache/cache.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "api/field/text.h"
#include "base/encoding/cut.h"
#include "base/strmap.h"
#include "cache/entry.h"
#include "os/dir.h"
#include "os/file.h"

enum { FILE_MODE = 0600, FOLDER_MODE = 0700, MAX_PLAIN_NAME = 200, MAX_FILE_NAME = 250 };

/* One file on disk. */
struct known {
    size_t bytes;
    char hex[HF_SHA256_HEX];
};

struct hf_cache {
    const struct hf_fs_ops *fs;
    char *dir;
    struct hf_strmap known; /* "<Kind>/<file name>" -> struct known */
    size_t bytes;
    struct hf_strmap resumes; /* Kind -> struct hf_cache_resume, as on disk */
    char damage[256];
};

static int out_of_memory(struct hf_err *err)
{
    return hf_err_set(err, ENOMEM, "not enough memory for the cache");
}

/* ---- names ------------------------------------------------------------------------------------------------------- */

static bool is_kind(const char *kind)
{
    size_t n = strspn(kind, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");

    return n > 0 && n <= 63 && kind[n] == '\0';
}

/* Object names may be longer than file names: cut long ones and append their hash ('~' is in no object name). */
static void file_name_of(const char *name, char file_name[MAX_FILE_NAME])
{
    char hex[HF_SHA256_HEX];
    size_t n = strlen(name);

    if (n <= MAX_PLAIN_NAME)
        (void)snprintf(file_name, MAX_FILE_NAME, "%s.json", name);
    else
        (void)snprintf(file_name, MAX_FILE_NAME, "%.150s~%s.json", name, hf_sha256_hex(name, n, hex));
}

static int check_names(const char *kind, const char *name, struct hf_err *err)
{
    if (!is_kind(kind))
        return hf_err_set(err, EINVAL, "'%.64s' is not a kind", kind);
    if (name == NULL || !hf_text_is_object_name(name))
        return hf_err_set(err, EINVAL, "'%.64s' is not an object name", name != NULL ? name : "");
    return 0;
}

/* ---- what is known to be on disk --------------------------------------------------------------------------------- */

static int remember(struct hf_cache *cache, const char *kind, const char *file_name, size_t bytes, const char *hex)
{
    _cleanup_(hf_freep) char *key = hf_asprintf("%s/%s", kind, file_name);
    struct known *known = key != NULL ? hf_strmap_get(&cache->known, key) : NULL;

    if (key == NULL)
        return -ENOMEM;
    if (known == NULL) {
        known = calloc(1, sizeof(*known));
        if (known == NULL || hf_strmap_put(&cache->known, key, known) < 0) {
            free(known);
            return -ENOMEM;
        }
    }
    cache->bytes = cache->bytes - known->bytes + bytes;
    known->bytes = bytes;
    memcpy(known->hex, hex, sizeof(known->hex));
    return 0;
}

static struct known *recall(const struct hf_cache *cache, const char *kind, const char *file_name)
{
    _cleanup_(hf_freep) char *key = hf_asprintf("%s/%s", kind, file_name);

    return key != NULL ? hf_strmap_get(&cache->known, key) : NULL;
}

static void forget(struct hf_cache *cache, const char *kind, const char *file_name)
{
    _cleanup_(hf_freep) char *key = hf_asprintf("%s/%s", kind, file_name);
    struct known *known = key != NULL ? hf_strmap_get(&cache->known, key) : NULL;

    if (known == NULL)
        return;
    cache->bytes -= known->bytes;
    (void)hf_strmap_remove(&cache->known, key);
}

/* ---- resume points ----------------------------------------------------------------------------------------------- */

static int read_resume(const json_t *json, struct hf_cache_resume *ret_resume)
{
    const char *version = hf_json_str(json, "resourceVersion"), *labels = hf_json_str(json, "labels");
    int64_t contact = hf_json_int_or(json, "lastContact", -1);

    if (version == NULL || strlen(version) >= sizeof(ret_resume->resource_version) || contact < 0 ||
        (labels != NULL && strlen(labels) >= sizeof(ret_resume->labels)))
        return -EBADMSG;
    if (labels == NULL) /* an earlier version wrote it, without recording if it left objects out: list once */
        version = labels = "";
    (void)snprintf(ret_resume->labels, sizeof(ret_resume->labels), "%s", labels);
    (void)snprintf(ret_resume->resource_version, sizeof(ret_resume->resource_version), "%s", version);
    ret_resume->last_contact_unix_ns = (uint64_t)contact;
    return 0;
}

static bool same_resume(const struct hf_cache_resume *a, const struct hf_cache_resume *b)
{
    return a != NULL && strcmp(a->resource_version, b->resource_version) == 0 && strcmp(a->labels, b->labels) == 0 &&
           a->last_contact_unix_ns == b->last_contact_unix_ns;
}

static int remember_resume(struct hf_cache *cache, const char *kind, const struct hf_cache_resume *resume)
{
    struct hf_cache_resume *copy = malloc(sizeof(*copy));

    if (copy == NULL)
        return -ENOMEM;
    *copy = *resume;
    int r = hf_strmap_put(&cache->resumes, kind, copy);
    if (r < 0)
        free(copy);
    return r;
}

int hf_cache_set_resume(struct hf_cache *cache, const char *kind, const struct hf_cache_resume *resume,
                        struct hf_err *err)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(1024);
    _cleanup_(hf_freep) char *path = hf_asprintf("%s/%s.mark", cache->dir, kind);
    _cleanup_(hf_json_freep) json_t *json = NULL;
    char hex[HF_SHA256_HEX];
    int r = check_names(kind, "mark", err);

    if (r < 0 || same_resume(hf_strmap_get(&cache->resumes, kind), resume))
        return r;
    json = json_pack("{s:s, s:I, s:s}", "resourceVersion", resume->resource_version, "lastContact",
                     (json_int_t)(resume->last_contact_unix_ns & INT64_MAX), "labels", resume->labels);
    if (path == NULL || json == NULL || hf_cache_entry_format(json, &text, hex) < 0)
        return out_of_memory(err);
    (void)hf_strmap_remove(&cache->resumes, kind); /* unknown until the write succeeds */
    r = hf_file_replace(cache->fs, path, text.p, text.n, FILE_MODE, err);
    if (r < 0)
        return r;
    return remember_resume(cache, kind, resume) < 0 ? out_of_memory(err) : 0;
}

/* ---- setting aside ----------------------------------------------------------------------------------------------- */

static int count_entry(void *arg, const char *name, unsigned char type)
{
    (void)name, (void)type;
    ++*(unsigned *)arg;
    return 0;
}

static bool has_room(const struct hf_cache *cache, const char *folder)
{
    int fd = cache->fs->openat(cache->fs->ctx, AT_FDCWD, folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0, HF_FS_ANY);
    unsigned n = 0;

    if (fd < 0)
        return false;
    int r = cache->fs->list(cache->fs->ctx, fd, count_entry, &n);
    (void)cache->fs->close(cache->fs->ctx, fd);
    return r == 0 && n < HF_CACHE_MAX_DAMAGED;
}

/* Best effort: a file that cannot move stays, and the next load finds it damaged again. */
static void set_aside(const struct hf_cache *cache, const char *path, const char *as)
{
    _cleanup_(hf_freep) char *folder = hf_asprintf("%s/damaged", cache->dir);
    _cleanup_(hf_freep) char *to = hf_asprintf("%s/damaged/%.240s", cache->dir, as);
    const struct hf_fs_ops *fs = cache->fs;

    if (folder == NULL || to == NULL || hf_dir_make(fs, folder, FOLDER_MODE, NULL) < 0)
        return;
    int r = has_room(cache, folder) ? fs->renameat(fs->ctx, AT_FDCWD, path, AT_FDCWD, to) : -ENOSPC;
    if (r < 0)
        r = hf_dir_remove_tree(fs, path, NULL);
    (void)r;
}

/* ---- loading ----------------------------------------------------------------------------------------------------- */

struct load {
    struct hf_cache *cache;
    const char *kind;
    const char *followed;   /* the kind that has the resume point */
    struct hf_strmap names; /* file names, without values */
    struct hf_strmap damaged;
    unsigned n_damaged;
    bool unproven; /* a power cut could take back what the last process left */
    struct hf_err *err;
    int (*visit)(void *arg, json_t *object);
    void *arg;
};

static bool ends_with(const char *text, const char *tail)
{
    size_t n = strlen(text), k = strlen(tail);

    return n > k && strcmp(text + n - k, tail) == 0;
}

static int take_name(void *arg, const char *name, unsigned char type)
{
    struct load *load = arg;

    (void)type;
    if (load->names.n >= 2 * HF_CACHE_MAX_OBJECTS)
        return -E2BIG;
    return hf_strmap_put(&load->names, name, NULL);
}

static int list_names(struct load *load, const char *folder)
{
    const struct hf_fs_ops *fs = load->cache->fs;
    int fd = fs->openat(fs->ctx, AT_FDCWD, folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0, HF_FS_ANY);

    if (fd == -ENOENT)
        return 0;
    if (fd < 0)
        return hf_err_sys(load->err, fd, "open '%s'", folder);
    int r = fs->list(fs->ctx, fd, take_name, load);
    (void)fs->close(fs->ctx, fd);
    return r < 0 ? hf_err_sys(load->err, r, "list '%s'", folder) : 0;
}

/* True if the error concerns this file only, and not every other file too. */
static bool is_damage(int r)
{
    return r == -EBADMSG || r == -E2BIG || r == -EINVAL || r == -EIO || r == -ELOOP || r == -ENXIO;
}

static int note_damage(struct load *load, const char *file_name, const struct hf_err *cause)
{
    if (load->n_damaged++ == 0)
        (void)snprintf(load->cache->damage, sizeof(load->cache->damage), "'%s/%.80s': %s", load->kind, file_name,
                       HF_CUT(120, HF_ERR_TEXT(cause)));
    return hf_strmap_put(&load->damaged, file_name, NULL);
}

static int check_entry(struct load *load, const char *file_name, const json_t *object, size_t bytes, struct hf_err *err)
{
    const char *name = hf_json_str(object, "metadata.name");
    char want[MAX_FILE_NAME];

    if (name == NULL || !hf_text_is_object_name(name))
        return hf_err_set(err, EBADMSG, "its object has no valid metadata.name");
    file_name_of(name, want);
    if (strcmp(want, file_name) != 0)
        return hf_err_set(err, EBADMSG, "holds '%.80s'", name);
    if (load->cache->known.n >= HF_CACHE_MAX_OBJECTS || load->cache->bytes + bytes > HF_CACHE_MAX_BYTES)
        return hf_err_set(err, E2BIG, "the cache has more objects or bytes than its limit");
    return 0;
}

static int load_entry(struct load *load, const char *folder, const char *file_name, json_t **ret_object,
                      struct hf_err *err)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(HF_CACHE_ENTRY_MAX);
    _cleanup_(hf_freep) char *path = hf_asprintf("%s/%s", folder, file_name);
    _cleanup_(hf_json_freep) json_t *object = NULL;
    char hex[HF_SHA256_HEX];
    int r = path != NULL ? hf_file_read(load->cache->fs, path, &text, err) : out_of_memory(err);

    if (r == 0)
        r = hf_cache_entry_parse(hf_buf_view(&text), &object, hex, err);
    if (r == 0)
        r = check_entry(load, file_name, object, text.n, err);
    if (load->unproven) /* the next list writes it again */
        hex[0] = '\0';
    if (r == 0 && remember(load->cache, load->kind, file_name, text.n, hex) < 0)
        r = out_of_memory(err);
    if (r == 0)
        *ret_object = hf_steal(object);
    return r;
}

/* Removes the file of an unfinished replacement. */
static void remove_unfinished(struct hf_cache *cache, const char *folder, const char *file_name)
{
    _cleanup_(hf_freep) char *path = hf_asprintf("%s/%s", folder, file_name);

    if (path != NULL)
        (void)cache->fs->unlinkat(cache->fs->ctx, AT_FDCWD, path, 0);
}

static int load_one(struct load *load, const char *folder, const char *file_name)
{
    _cleanup_(hf_json_freep) json_t *object = NULL;
    struct hf_err cause = HF_ERR_INIT;
    int r;

    if (ends_with(file_name, ".new")) {
        remove_unfinished(load->cache, folder, file_name);
        return 0;
    }
    forget(load->cache, load->kind, file_name);
    r = load_entry(load, folder, file_name, &object, &cause);
    if (is_damage(r))
        return note_damage(load, file_name, &cause) < 0 ? out_of_memory(load->err) : 0;
    if (r < 0)
        return hf_err_set(load->err, -r, "%s", cause.cause);
    return load->visit(load->arg, object);
}

static int load_all(struct load *load)
{
    _cleanup_(hf_freep) char *folder = hf_asprintf("%s/%s", load->cache->dir, load->kind);
    int r = folder != NULL ? list_names(load, folder) : out_of_memory(load->err);

    for (size_t i = 0; r == 0 && i < load->names.n; i++)
        r = load_one(load, folder, load->names.entries[i].key);
    return r;
}

/* Leaves *resume zero if the file is absent or damaged. */
static int load_resume(struct load *load, struct hf_cache_resume *resume)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(4096);
    _cleanup_(hf_freep) char *path = hf_asprintf("%s/%s.mark", load->cache->dir, load->followed);
    _cleanup_(hf_json_freep) json_t *json = NULL;
    struct hf_err cause = HF_ERR_INIT;
    char hex[HF_SHA256_HEX], name[80];
    int r = path != NULL ? hf_file_read(load->cache->fs, path, &text, &cause) : -ENOMEM;

    (void)snprintf(name, sizeof(name), "%s.mark.new", load->followed);
    remove_unfinished(load->cache, load->cache->dir, name);
    if (r == 0)
        r = hf_cache_entry_parse(hf_buf_view(&text), &json, hex, &cause);
    if (r == 0 && (r = read_resume(json, resume)) < 0)
        (void)hf_err_set(&cause, EBADMSG, "resourceVersion or time is missing");
    if (r == 0)
        return remember_resume(load->cache, load->followed, resume) < 0 ? out_of_memory(load->err) : 0;
    if (r == -ENOENT)
        return 0;
    if (!is_damage(r))
        return r == -ENOMEM ? out_of_memory(load->err) : hf_err_set(load->err, -r, "%s", cause.cause);
    (void)snprintf(name, sizeof(name), "%s.mark", load->followed);
    if (load->n_damaged++ == 0)
        (void)snprintf(load->cache->damage, sizeof(load->cache->damage), "'%s': %s", name, HF_CUT(120, cause.cause));
    set_aside(load->cache, path, name);
    return 0;
}

static void set_aside_damaged(struct load *load, struct hf_cache_resume *resume)
{
    struct hf_cache *cache = load->cache;

    resume->resource_version[0] = '\0';
    if (load->damaged.n == 0 || hf_cache_set_resume(cache, load->followed, resume, NULL) < 0)
        return; /* the next start finds it still damaged */
    for (size_t i = 0; i < load->damaged.n; i++) {
        const char *file_name = load->damaged.entries[i].key;
        _cleanup_(hf_freep) char *path = hf_asprintf("%s/%s/%s", cache->dir, load->kind, file_name);
        _cleanup_(hf_freep) char *as = hf_asprintf("%s-%s", load->kind, file_name);
        if (path != NULL && as != NULL)
            set_aside(cache, path, as);
    }
}

/* Makes what the last process left durable: if it was killed before a sync, a power cut could take back an object that
 * the next resume point includes. Without proof the whole kind is listed again. */
static void make_durable(struct load *load, struct hf_cache_resume *resume)
{
    _cleanup_(hf_freep) char *folder = hf_asprintf("%s/%s", load->cache->dir, load->kind);
    int r = folder != NULL ? hf_dir_sync(load->cache->fs, folder, NULL) : -ENOMEM;

    load->unproven = r < 0 && r != -ENOENT && r != -EROFS;
    if (load->unproven)
        resume->resource_version[0] = '\0';
}

int hf_cache_load(struct hf_cache *cache, const char *kind, const char *followed,
                  int (*visit)(void *arg, json_t *object), void *arg, struct hf_cache_resume *ret_resume,
                  unsigned *ret_damaged, struct hf_err *err)
{
    struct load load = {.cache = cache, .kind = kind, .followed = followed, .err = err, .visit = visit, .arg = arg};
    struct hf_cache_resume resume = {0};
    int r = check_names(kind, "any", err);

    cache->damage[0] = '\0';
    if (r == 0)
        r = load_resume(&load, &resume);
    if (r == 0)
        make_durable(&load, &resume);
    if (r == 0)
        r = load_all(&load);
    if (r == 0 && load.n_damaged > 0)
        set_aside_damaged(&load, &resume);
    hf_strmap_done(&load.names);
    hf_strmap_done(&load.damaged);
    if (r < 0)
        return r;
    *ret_resume = resume;
    *ret_damaged = load.n_damaged;
    return 0;
}

const char *hf_cache_damage(const struct hf_cache *cache)
{
    return cache->damage;
}

/* ---- writing ----------------------------------------------------------------------------------------------------- */

static int write_entry(struct hf_cache *cache, const char *kind, const char *file_name, struct hf_view text,
                       struct hf_err *err)
{
    _cleanup_(hf_freep) char *folder = hf_asprintf("%s/%s", cache->dir, kind);
    _cleanup_(hf_freep) char *path = hf_asprintf("%s/%s/%s", cache->dir, kind, file_name);
    int r;

    if (folder == NULL || path == NULL)
        return out_of_memory(err);
    r = hf_file_replace(cache->fs, path, text.p, text.n, FILE_MODE, err);
    if (r != -ENOENT)
        return r;
    r = hf_dir_make(cache->fs, folder, FOLDER_MODE, err);
    return r < 0 ? r : hf_file_replace(cache->fs, path, text.p, text.n, FILE_MODE, err);
}

int hf_cache_put(struct hf_cache *cache, const char *kind, const json_t *object, struct hf_err *err)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(HF_CACHE_ENTRY_MAX);
    const char *name = hf_json_str(object, "metadata.name");
    char file_name[MAX_FILE_NAME], hex[HF_SHA256_HEX];
    int r = check_names(kind, name, err);

    if (r == 0 && (r = hf_cache_entry_format(object, &text, hex)) < 0)
        r = hf_err_set(err, -r, "object '%.80s' does not fit into the cache", name);
    if (r < 0)
        return r;
    file_name_of(name, file_name);
    const struct known *known = recall(cache, kind, file_name);
    if (known != NULL && strcmp(known->hex, hex) == 0)
        return 0;
    if ((known == NULL && cache->known.n >= HF_CACHE_MAX_OBJECTS) ||
        cache->bytes - (known != NULL ? known->bytes : 0) + text.n > HF_CACHE_MAX_BYTES)
        return hf_err_set(err, E2BIG, "cache full: no room for '%.80s'", name);
    forget(cache, kind, file_name); /* unknown until the write succeeds */
    r = write_entry(cache, kind, file_name, hf_buf_view(&text), err);
    if (r < 0)
        return hf_err_wrap(err, r, "cache %s '%.80s'", kind, name);
    return remember(cache, kind, file_name, text.n, hex) < 0 ? out_of_memory(err) : 0;
}

int hf_cache_remove(struct hf_cache *cache, const char *kind, const char *name, struct hf_err *err)
{
    _cleanup_(hf_freep) char *path = NULL;
    char file_name[MAX_FILE_NAME];
    int r = check_names(kind, name, err);

    if (r < 0)
        return r;
    file_name_of(name, file_name);
    path = hf_asprintf("%s/%s/%s", cache->dir, kind, file_name);
    if (path == NULL)
        return out_of_memory(err);
    forget(cache, kind, file_name);
    r = hf_file_remove(cache->fs, path, err);
    return r < 0 ? hf_err_wrap(err, r, "remove %s '%.80s' from the cache", kind, name) : 0;
}

int hf_cache_open(const struct hf_fs_ops *fs, const char *dir, struct hf_cache **ret_cache, struct hf_err *err)
{
    _cleanup_(hf_cache_freep) struct hf_cache *cache = calloc(1, sizeof(*cache));
    int r;

    if (cache == NULL)
        return out_of_memory(err);
    cache->fs = fs;
    cache->dir = strdup(dir);
    cache->known.free_value = free;
    cache->resumes.free_value = free;
    if (cache->dir == NULL)
        return out_of_memory(err);
    r = hf_dir_make(fs, dir, FOLDER_MODE, err);
    if (r < 0)
        return hf_err_wrap(err, r, "open cache");
    *ret_cache = hf_steal(cache);
    return 0;
}

void hf_cache_free(struct hf_cache *cache)
{
    if (cache == NULL)
        return;
    hf_strmap_done(&cache->known);
    hf_strmap_done(&cache->resumes);
    free(cache->dir);
    free(cache);
}
