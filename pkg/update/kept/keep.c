/* SPDX-License-Identifier: Apache-2.0 */
/* Keeps the committed version and the one before: first makes what is wanted, then removes what is not. */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/strmap.h"
#include "update/install/tree.h"
#include "update/kept/folder.h"

struct keeper {
    const struct hf_kept_params *params;
    const struct hf_fs_ops *fs;
    struct hf_target_dir dir;
    int kept_fd;
    int source_fd; /* of what is in place: the file, or the tree's folder */
    bool changed;  /* the folder has to be synced */
    struct hf_failure *failure;
};

static void keeper_done(struct keeper *keeper)
{
    if (keeper->source_fd >= 0)
        (void)keeper->fs->close(keeper->fs->ctx, keeper->source_fd);
    if (keeper->kept_fd >= 0)
        (void)keeper->fs->close(keeper->fs->ctx, keeper->kept_fd);
    hf_target_dir_done(&keeper->dir);
}

static bool has(const struct keeper *keeper, const char *sha256, enum hf_kept_source form, struct stat *ret)
{
    return kept_is(keeper->fs, keeper->kept_fd, keeper->params->kind, sha256, form, ret);
}

static int changed(const struct keeper *keeper)
{
    return hf_failure_set(keeper->failure, HF_R_TargetChanged, ESTALE, "'%.200s' is not the committed version now",
                          keeper->params->target.path);
}

/* ---- what is in place -------------------------------------------------------------------------------------------- */

static int open_file(struct keeper *keeper)
{
    const struct hf_kept_params *params = keeper->params;
    char hex[HF_SHA256_HEX];

    keeper->source_fd = hf_target_open_file(&keeper->dir, keeper->dir.name, O_RDONLY, keeper->failure);
    if (keeper->source_fd < 0)
        return keeper->source_fd;
    int r = hf_target_hash_fd(keeper->fs, keeper->source_fd, params->cancel, hex, NULL, keeper->failure);
    return r < 0 ? r : strcmp(hex, params->sha256) == 0 ? 0 : changed(keeper);
}

/* The link in place, if it names the committed tree. */
static int read_link(const struct keeper *keeper, char text[HF_TARGET_MAX_PATH])
{
    char sha256[HF_SHA256_HEX];
    ssize_t n =
        keeper->fs->readlinkat(keeper->fs->ctx, keeper->dir.dirfd, keeper->dir.name, text, HF_TARGET_MAX_PATH - 1);

    text[HF_MAX(n, 0)] = '\0';
    return hf_tree_link_parse(keeper->params->target.release, text, sha256) &&
                   strcmp(sha256, keeper->params->sha256) == 0
               ? 0
               : changed(keeper);
}

static int open_tree(struct keeper *keeper, const char *link)
{
    keeper->source_fd =
        keeper->fs->openat(keeper->fs->ctx, keeper->dir.dirfd, link, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0,
                           HF_FS_BENEATH | HF_FS_NO_SYMLINKS);
    return keeper->source_fd < 0 ? hf_failure_sys(keeper->failure, keeper->source_fd, "open the tree") : 0;
}

/* Only a version that is whole is kept: else it would replace one that is. */
static int verify_tree(const struct keeper *keeper, const char *link)
{
    struct hf_install_manifest_look look = {.next = 0};
    int r = hf_tree_verify(&keeper->dir, link, keeper->params->records, HF_INSTALL_CHECK_QUICK, &look,
                           keeper->params->cancel, keeper->failure);

    return r == 0 ? changed(keeper) : HF_MIN(r, 0);
}

/* ---- making an entry --------------------------------------------------------------------------------------------- */

static int link_file(const struct keeper *keeper, const char *fresh)
{
    const struct hf_fs_ops *fs = keeper->fs;
    struct stat source, st;
    int r = fs->linkat(fs->ctx, keeper->dir.dirfd, keeper->dir.name, keeper->kept_fd, fresh);

    if (r == 0)
        r = fs->fstat(fs->ctx, keeper->source_fd, &source);
    if (r == 0)
        r = fs->fstatat(fs->ctx, keeper->kept_fd, fresh, &st, AT_SYMLINK_NOFOLLOW);
    return r < 0 ? r : st.st_ino == source.st_ino && st.st_dev == source.st_dev ? HF_KEPT_LINK : changed(keeper);
}

static int copy_file(const struct keeper *keeper, const char *fresh, enum hf_kept_source form)
{
    const struct hf_fs_ops *fs = keeper->fs;
    int to = fs->openat(fs->ctx, keeper->kept_fd, fresh, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600,
                        HF_FS_BENEATH | HF_FS_NO_SYMLINKS);

    if (to < 0)
        return to;
    int r = kept_fill(fs, keeper->source_fd, to, form == HF_KEPT_COPY, keeper->params->cancel);
    int synced = r >= 0 ? fs->fsync(fs->ctx, to) : 0;
    (void)fs->close(fs->ctx, to);
    return synced < 0 ? synced : r;
}

static int fill(const struct keeper *keeper, const char *fresh, enum hf_kept_source form)
{
    if (keeper->params->kind != HF_INSTALL_FILE) {
        int r = kept_mirror(keeper->fs, keeper->source_fd, keeper->kept_fd, fresh, form, keeper->params->cancel);
        return r < 0 ? r : (int)form;
    }
    return form == HF_KEPT_LINK ? link_file(keeper, fresh) : copy_file(keeper, fresh, form);
}

/* Makes the entry; returns its form, which is CLONE where a copy could be one. */
static int make(struct keeper *keeper, enum hf_kept_source form)
{
    const struct hf_fs_ops *fs = keeper->fs;
    char name[KEPT_NAME], fresh[KEPT_NAME + 8];

    (void)snprintf(fresh, sizeof(fresh), "%s.new", kept_name(keeper->params->sha256, form, name));
    keeper->changed = true;
    int r = kept_remove(fs, keeper->kept_fd, fresh);
    if (r == 0)
        r = fill(keeper, fresh, form);
    int made = r;
    if (r >= 0) {
        (void)kept_name(keeper->params->sha256, (enum hf_kept_source)made, name);
        r = kept_remove(fs, keeper->kept_fd, name);
    }
    if (r >= 0)
        r = fs->renameat(fs->ctx, keeper->kept_fd, fresh, keeper->kept_fd, name);
    if (r < 0)
        (void)kept_remove(fs, keeper->kept_fd, fresh);
    assert(r < 0 || made == (int)form || (form == HF_KEPT_COPY && made == HF_KEPT_CLONE));
    return r < 0 ? hf_failure_sys(keeper->failure, r, "keep '%.200s'", keeper->params->target.path) : made;
}

static int make_best(struct keeper *keeper, bool copy)
{
    int r = make(keeper, copy ? HF_KEPT_COPY : HF_KEPT_CLONE);

    return r < 0 && r != -ECANCELED && r != -ESTALE ? make(keeper, HF_KEPT_LINK) : r;
}

/* ---- what there is ----------------------------------------------------------------------------------------------- */

/* True if the second name is that of what is in place. */
static bool link_is_right(struct keeper *keeper, const char *link)
{
    struct stat kept, st;
    char name[KEPT_NAME];
    int r;

    if (!has(keeper, keeper->params->sha256, HF_KEPT_LINK, &kept))
        return false;
    if (keeper->params->kind == HF_INSTALL_FILE)
        return hf_target_stat(&keeper->dir, keeper->dir.name, &st, &r) && st.st_ino == kept.st_ino &&
               st.st_dev == kept.st_dev;
    if (keeper->source_fd < 0 && open_tree(keeper, link) < 0)
        return false;
    int mirror =
        keeper->fs->openat(keeper->fs->ctx, keeper->kept_fd, kept_name(keeper->params->sha256, HF_KEPT_LINK, name),
                           O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0, HF_FS_BENEATH | HF_FS_NO_SYMLINKS);
    if (mirror < 0)
        return false;
    bool shared = kept_mirror_is_shared(keeper->fs, keeper->source_fd, mirror);
    (void)keeper->fs->close(keeper->fs->ctx, mirror);
    return shared;
}

/* Returns the form in which the committed version is kept now. */
static int keep_current(struct keeper *keeper, bool copy)
{
    bool tree = keeper->params->kind != HF_INSTALL_FILE;
    char link[HF_TARGET_MAX_PATH] = "";
    struct stat st;
    int r = tree ? read_link(keeper, link) : 0;

    if (r < 0)
        return r;
    if (copy && has(keeper, keeper->params->sha256, HF_KEPT_COPY, &st))
        return HF_KEPT_COPY;
    if (has(keeper, keeper->params->sha256, HF_KEPT_CLONE, &st))
        return HF_KEPT_CLONE;
    if (!copy && link_is_right(keeper, link))
        return HF_KEPT_LINK;
    if (tree)
        r = keeper->source_fd < 0 ? open_tree(keeper, link) : 0;
    else
        r = open_file(keeper);
    if (r == 0 && tree)
        r = verify_tree(keeper, link);
    if (r == 0)
        r = make_best(keeper, copy);
    /* Second names change the ctime of each file: the manifest takes note of it now, not at the next look. */
    int noted = tree && r == HF_KEPT_LINK ? verify_tree(keeper, link) : 0;
    return noted < 0 ? noted : r;
}

/* ---- what goes --------------------------------------------------------------------------------------------------- */

struct kept_names {
    struct hf_strmap map;
};

static void names_done(struct kept_names *names)
{
    hf_strmap_done(&names->map);
}

static int note(void *arg, const char *name, unsigned char type)
{
    struct kept_names *names = arg;

    (void)type;
    return hf_strmap_put(&names->map, name, NULL);
}

static bool is_of(const char *name, const char *sha256)
{
    size_t n = strlen(sha256);

    return n > 0 && strncmp(name, sha256, n) == 0 && name[n] == '.' && strstr(name + n, ".new") == NULL;
}

/* `form`: of the committed version; negative: unknown, so all of its forms stay; NOWHERE: none does. */
static bool stays(const struct keeper *keeper, const char *name, int form, bool previous)
{
    char kept[KEPT_NAME];

    if ((form < 0 && is_of(name, keeper->params->sha256)) || is_of(name, keeper->params->wanted_sha256))
        return true;
    if (form > HF_KEPT_NOWHERE && strcmp(name, kept_name(keeper->params->sha256, (enum hf_kept_source)form, kept)) == 0)
        return true;
    return previous && is_of(name, keeper->params->previous_sha256) &&
           strcmp(keeper->params->sha256, keeper->params->previous_sha256) != 0;
}

/* A policy that is not known yet may want both versions, in any form, but nothing older. */
static int remove_rest(struct keeper *keeper, int form, bool previous)
{
    _cleanup_(names_done) struct kept_names names = {.map = {.n = 0}};
    const struct hf_fs_ops *fs = keeper->fs;
    bool unread = keeper->params->policy.unread;
    size_t kept = 0;

    if (keeper->params->previous_unknown)
        return 0;
    int r = fs->list(fs->ctx, keeper->kept_fd, note, &names);
    for (size_t i = 0; r == 0 && i < names.map.n; i++) {
        if (stays(keeper, names.map.entries[i].key, unread ? -1 : form, unread || previous)) {
            kept++;
            continue;
        }
        keeper->changed = true;
        r = kept_remove(fs, keeper->kept_fd, names.map.entries[i].key);
    }
    if (r == 0 && keeper->changed)
        r = fs->fsync(fs->ctx, keeper->kept_fd);
    if (r == 0 && kept == 0) {
        char name[NAME_MAX + 1];
        (void)fs->unlinkat(fs->ctx, keeper->dir.dirfd, hf_target_file_name(keeper->dir.release, HF_TARGET_KEPT, name),
                           AT_REMOVEDIR);
    }
    return r < 0 ? hf_failure_sys(keeper->failure, r, "remove what is kept no more") : 0;
}

static struct hf_kept_choice choose(const struct keeper *keeper)
{
    const struct hf_kept_params *params = keeper->params;
    struct stat st;
    const struct hf_kept_facts facts = {.policy = params->policy,
                                        .room = params->room,
                                        .size = params->size,
                                        .previous_size = params->previous_sha256[0] != '\0' ? params->previous_size : 0,
                                        .has_copy = has(keeper, params->sha256, HF_KEPT_COPY, &st),
                                        .just_committed = params->just_committed};

    return hf_kept_choose(&facts);
}

static int keeper_open(struct keeper *keeper, const struct hf_kept_params *params, bool make,
                       struct hf_failure *failure)
{
    *keeper = (struct keeper){.params = params,
                              .fs = params->target.fs,
                              .dir = {.dirfd = -1},
                              .kept_fd = -1,
                              .source_fd = -1,
                              .failure = failure};
    int r = hf_target_open(&params->target, &keeper->dir, NULL, failure);

    if (r == 0)
        keeper->kept_fd = kept_open(&keeper->dir, make, failure);
    return r < 0 ? r : HF_MIN(keeper->kept_fd, 0);
}

int hf_kept_keep(const struct hf_kept_params *params, struct hf_failure *failure)
{
    _cleanup_(keeper_done) struct keeper keeper;
    int r = keeper_open(&keeper, params, true, failure);

    if (r < 0)
        return r;
    struct hf_kept_choice choice = choose(&keeper);
    assert(!choice.previous || params->previous_sha256[0] != '\0');
    int form = keep_current(&keeper, choice.copy);
    r = remove_rest(&keeper, form, choice.previous);
    if (r == 0 && keeper.changed)
        r = hf_target_sync(&keeper.dir, failure);
    return form < 0 ? form : r;
}

int hf_kept_trim(const struct hf_kept_params *params, struct hf_failure *failure)
{
    _cleanup_(keeper_done) struct keeper keeper;
    int r = keeper_open(&keeper, params, false, failure);

    if (r < 0)
        return r == -ENOENT ? 0 : r;
    struct hf_kept_choice choice = choose(&keeper);
    return remove_rest(&keeper, params->unwanted && !choice.copy ? HF_KEPT_NOWHERE : -1, choice.previous);
}
