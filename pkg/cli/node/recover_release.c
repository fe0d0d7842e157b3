/* SPDX-License-Identifier: Apache-2.0 */
/* One release, from what the state folder still has: the journal says which version is committed; the signed object
 * behind it (`committed`, or the journal's own copy) says what content that is and where. Without the journal the
 * object alone decides. What is in the middle of an update is not judged: the agent finishes or undoes it. */
#include "cli/node/recover_release.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "codec/state/sealed_file.h"
#include "os/file.h"
#include "supervisor/state.h"
#include "trust/trust.h"
#include "update/install/patch.h"
#include "update/install/swap.h"
#include "update/state/committed.h"

const char *hf_cli_recover_verdict_name(enum hf_recover_verdict verdict)
{
    static const char *const names[] = {"Unknown", "Right", "Wrong", "Absent"};

    return names[verdict];
}

void hf_cli_recover_release_done(struct hf_recover_release *release)
{
    hf_edgeupdate_free(release->committed);
    hf_edgeupdate_free(release->previous);
    free(release->folder);
}

/* ---- names ------------------------------------------------------------------------------------------------------- */

bool hf_cli_recover_is_name(const char *name)
{
    size_t n = strlen(name);

    return n > 0 && n <= HF_API_MAX_NAME && name[0] != '.' && strcmp(name, "lock") != 0 &&
           strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-.") == n;
}

struct name_list {
    int (*each)(void *arg, const char *name);
    void *arg;
};

static int list_name(void *arg, const char *name, unsigned char type)
{
    const struct name_list *list = arg;

    (void)type;
    return hf_cli_recover_is_name(name) ? list->each(list->arg, name) : 0;
}

int hf_cli_recover_names(const struct hf_fs_ops *fs, const char *state_dir, int (*each)(void *arg, const char *name),
                         void *arg, struct hf_err *err)
{
    _cleanup_(hf_freep) char *folder = hf_asprintf("%s/updates", state_dir);
    struct name_list list = {each, arg};

    if (folder == NULL)
        return hf_err_set(err, ENOMEM, "out of memory");
    int fd = fs->openat(fs->ctx, AT_FDCWD, folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0, HF_FS_ANY);
    if (fd < 0)
        return hf_err_sys(err, fd, "open '%s'", folder);
    int r = fs->list(fs->ctx, fd, list_name, &list);
    (void)fs->close(fs->ctx, fd);
    return r < 0 ? hf_err_sys(err, r, "read '%s'", folder) : 0;
}

/* ---- what the state folder says ---------------------------------------------------------------------------------- */

static void note_damage(struct hf_recover_release *release, const char *file, const struct hf_err *err)
{
    char said[256], *text = release->damage[release->n_damage++];

    (void)snprintf(text, sizeof(release->damage[0]), "%s: %s", file, hf_err_text(err, said, sizeof(said)));
}

/* Without hf_journal_load(), which sets a damaged journal aside: that is the agent's affair. */
static void read_journal(const struct hf_recover_node *node, struct hf_recover_release *release)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(HF_JOURNAL_MAX_BYTES);
    _cleanup_(hf_freep) char *path = hf_asprintf("%s/journal", release->folder);
    _cleanup_(hf_json_freep) json_t *kept = NULL;
    struct hf_err err = HF_ERR_INIT;
    int r = path != NULL ? hf_file_read(node->fs, path, &text, &err) : -ENOMEM;

    if (r == 0)
        r = hf_journal_parse(hf_buf_view(&text), &release->j, &kept, &err);
    if (r == 0 && strcmp(release->j.name, release->name) != 0)
        r = hf_err_set(&err, EBADMSG, "it is of another release, '%.64s'", release->j.name);
    if (r == -ENOENT)
        r = hf_sealed_file_explain_absence(node->fs, release->folder, "journal", &err);
    if (r == -ENOENT)
        (void)hf_err_set(&err, ENOENT, "missing");
    release->has_journal = r == 0;
    if (r < 0) {
        release->j = (struct hf_journal){.phase = HF_PHASE_IDLE};
        note_damage(release, "journal", &err);
    } else if (strcmp(release->j.digest, release->j.good_digest) == 0) {
        release->committed = hf_committed_decode(kept);
    }
}

static void read_objects(const struct hf_recover_node *node, struct hf_recover_release *release)
{
    struct hf_edgeupdate *committed = NULL;
    struct hf_err err = HF_ERR_INIT;
    int r = hf_committed_peek(node->fs, release->folder, false, &committed, &err);

    if (r < 0 && r != -ENOENT)
        note_damage(release, "committed", &err);
    if (r == 0 && release->has_journal && strcmp(committed->release.digest, release->j.good_digest) != 0)
        hf_edgeupdate_free(committed);
    else if (r == 0) {
        hf_edgeupdate_free(release->committed);
        release->committed = committed;
    }
    r = hf_committed_peek(node->fs, release->folder, true, &release->previous, &err);
    if (r < 0 && r != -ENOENT)
        note_damage(release, "previous", &err);
}

/* ---- what the disk has ------------------------------------------------------------------------------------------- */

/* The content of an object on this node. */
struct placed_content {
    const char *roots[2];
    char *host, *current; /* kind Agent: its folder and path */
    struct hf_target target;
    enum hf_install_kind kind;
    const struct hf_artifact *artifact;
};

static void content_done(struct placed_content *content)
{
    free(content->host);
    free(content->current);
}

/* False: there is none for this architecture. */
static bool content_of(const struct hf_recover_node *node, const struct hf_recover_release *release,
                       const struct hf_edgeupdate *object, struct placed_content *content)
{
    const struct hf_install *install = &object->release.install;
    bool agent = install->kind == HF_INSTALL_AGENT;

    *content =
        (struct placed_content){.kind = install->kind, .artifact = hf_release_artifact(&object->release, node->arch)};
    if (agent) {
        content->host = hf_asprintf("%s/" HF_HOST_DIR, node->state_dir);
        content->current = hf_asprintf("%s/" HF_HOST_DIR "/" HF_HOST_CURRENT, node->state_dir);
        content->roots[0] = content->host;
    }
    content->target = (struct hf_target){.fs = node->fs,
                                         .roots = agent ? content->roots : node->roots,
                                         .path = agent ? content->current : install->path,
                                         .release = release->name,
                                         .uid = node->uid,
                                         .guard = node->uid == 0};
    return content->artifact != NULL && content->target.path != NULL && content->target.roots[0] != NULL;
}

static struct hf_swap_params swap_params(const struct hf_recover_release *release, const struct placed_content *content)
{
    const struct hf_install *install = &release->committed->release.install;

    return (struct hf_swap_params){.target = content->target,
                                   .kind = content->kind,
                                   .sha256 = content->artifact->sha256,
                                   .records = release->folder,
                                   .has_mode = install->has_mode,
                                   .mode = install->mode,
                                   .old_sha256 = "",
                                   .old_link = "",
                                   .made_folder = "",
                                   .committed = release->has_journal,
                                   .recheck = true,
                                   .how = HF_INSTALL_CHECK_FULL};
}

/* The text of the link in place; "": none. */
static void read_link(const struct hf_target_dir *dir, char link[HF_TARGET_MAX_PATH])
{
    ssize_t n = dir->fs->readlinkat(dir->fs->ctx, dir->dirfd, dir->name, link, HF_TARGET_MAX_PATH - 1);

    link[n > 0 ? n : 0] = '\0';
}

static void check_installed(struct hf_recover_release *release, const struct placed_content *content)
{
    struct hf_swap_params params = swap_params(release, content);
    struct hf_failure failure = {.reason = HF_R_None, .err = HF_ERR_INIT};
    struct hf_swap_look look = {.size = 0};

    params.how = HF_INSTALL_CHECK_LOOK;
    int r = hf_swap_check(&params, &look, &failure);
    release->installed = r > 0 ? HF_RECOVER_RIGHT : r == 0 ? HF_RECOVER_WRONG : HF_RECOVER_UNKNOWN;
    if (r < 0)
        (void)hf_err_text(&failure.err, release->what, sizeof(release->what));
    else
        (void)snprintf(release->what, sizeof(release->what), "%s", look.seen.what);
}

static void check_kept(const struct hf_recover_release *release, const struct placed_content *content,
                       struct hf_recover_kept *kept)
{
    struct hf_failure ignored = {.reason = HF_R_None, .err = HF_ERR_INIT};
    struct hf_target target = content->target;
    char link[HF_TARGET_MAX_PATH];
    struct hf_target_dir dir;

    target.guard = false;
    kept->verdict = HF_RECOVER_ABSENT;
    if (hf_target_open(&target, &dir, NULL, &ignored) < 0)
        return;
    read_link(&dir, link);
    const struct hf_kept_want want = {.kind = content->kind,
                                      .sha256 = content->artifact->sha256,
                                      .size = content->artifact->size,
                                      .link = link,
                                      .other = "",
                                      .target = target};
    int r = hf_kept_check(&want, &dir, release->folder, &kept->source, &ignored);
    hf_target_dir_done(&dir);
    kept->verdict = r > 0                             ? HF_RECOVER_RIGHT
                    : r == 0                          ? HF_RECOVER_WRONG
                    : kept->source == HF_KEPT_NOWHERE ? HF_RECOVER_ABSENT
                                                      : HF_RECOVER_UNKNOWN;
}

static void check_trust(const struct hf_recover_node *node, struct hf_recover_release *release)
{
    enum hf_trust_verdict verdict = HF_TRUST_UNSIGNED;
    struct hf_err err = HF_ERR_INIT;
    int r = hf_trust_check(node->fs, node->trust_dir, release->committed, &verdict, &err);

    release->trusted = r == 0 && verdict == HF_TRUST_OK;
    release->signature = release->trusted ? "Valid" : r < 0 ? "TrustUnreadable" : hf_trust_reason(verdict);
}

static bool is_in_the_middle(const struct hf_recover_release *release)
{
    return release->has_journal && !hf_phase_rests(release->j.phase) && release->j.phase != HF_PHASE_WAITING;
}

static void look_at_disk(const struct hf_recover_node *node, struct hf_recover_release *release)
{
    _cleanup_(content_done) struct placed_content content = {.kind = HF_INSTALL_FILE};
    _cleanup_(content_done) struct placed_content before = {.kind = HF_INSTALL_FILE};
    char *what = release->what;
    size_t n = sizeof(release->what);

    if (release->previous != NULL && content_of(node, release, release->previous, &before))
        check_kept(release, &before, &release->kept_previous);
    if (release->committed == NULL) {
        bool nothing = release->has_journal && release->j.good_digest[0] == '\0';
        (void)snprintf(what, n, "%s", nothing ? "no version is committed" : "no signed release says what belongs here");
        release->installed = nothing ? HF_RECOVER_ABSENT : HF_RECOVER_UNKNOWN;
        return;
    }
    check_trust(node, release);
    if (!content_of(node, release, release->committed, &content)) {
        (void)snprintf(what, n, "the committed release has no artifact for %s", node->arch);
        return;
    }
    check_kept(release, &content, &release->kept);
    if (is_in_the_middle(release))
        (void)snprintf(what, n, "an update is in progress (%s): the agent finishes or undoes it",
                       hf_phase_name(release->j.phase));
    else
        check_installed(release, &content);
}

/* What another user may have put there decides nothing. */
static bool is_ours(const struct hf_recover_node *node, struct hf_recover_release *release)
{
    struct hf_err err = HF_ERR_INIT;
    struct stat st;
    int r = node->fs->fstatat(node->fs->ctx, AT_FDCWD, release->folder, &st, AT_SYMLINK_NOFOLLOW);

    if (r == 0 && S_ISDIR(st.st_mode) && st.st_uid == node->uid && (st.st_mode & 022) == 0)
        return true;
    (void)hf_err_set(&err, r < 0 ? -r : EPERM, "%s",
                     r < 0 ? "it cannot be read"
                           : "it is no folder of the agent's own: a link, of another user, or open to others");
    note_damage(release, "folder", &err);
    return false;
}

int hf_cli_recover_look(const struct hf_recover_node *node, const char *name, struct hf_recover_release *ret_release,
                        struct hf_err *err)
{
    *ret_release = (struct hf_recover_release){
        .signature = "", .kept.verdict = HF_RECOVER_ABSENT, .kept_previous.verdict = HF_RECOVER_ABSENT};
    (void)snprintf(ret_release->name, sizeof(ret_release->name), "%s", name);
    ret_release->folder = hf_asprintf("%s/updates/%s", node->state_dir, name);
    if (ret_release->folder == NULL)
        return hf_err_set(err, ENOMEM, "out of memory");
    if (is_ours(node, ret_release)) {
        read_journal(node, ret_release);
        read_objects(node, ret_release);
    }
    look_at_disk(node, ret_release);
    return 0;
}

/* ---- putting back ------------------------------------------------------------------------------------------------ */

static int check(const struct hf_recover_release *release, struct hf_failure *failure)
{
    if (is_in_the_middle(release) || release->committed == NULL)
        return hf_failure_set(failure, HF_R_RetryingLater, EOPNOTSUPP, "%s", release->what);
    if (release->committed->release.install.kind == HF_INSTALL_AGENT)
        return hf_failure_set(failure, HF_R_RetryingLater, EOPNOTSUPP,
                              "the agent's own release goes back by its supervisor");
    if (!release->trusted)
        return hf_failure_set(failure, HF_R_Unsigned, EKEYREJECTED,
                              "this node does not accept the signature of the committed release now: %s",
                              release->signature);
    return 0;
}

/* Right content needs nothing but its mode and owner. 1: all is right now. */
static int mend(const struct hf_recover_release *release, const struct hf_swap_params *swap, struct hf_failure *failure)
{
    struct hf_swap_look look = {.size = 0};
    int r = hf_swap_check(swap, &look, failure);

    if (r != 0 || release->kept.verdict == HF_RECOVER_RIGHT)
        return r;
    return hf_failure_set(failure, HF_R_NotKept, EOPNOTSUPP, "%s",
                          release->kept.verdict == HF_RECOVER_ABSENT
                              ? "this node does not keep the content: the agent has to fetch it"
                              : "what this node keeps of the content is damaged: the agent has to fetch it");
}

int hf_cli_recover_put(const struct hf_recover_node *node, const struct hf_recover_release *release,
                       void (*begins)(void *arg), void *arg, struct hf_failure *failure)
{
    _cleanup_(content_done) struct placed_content content = {.kind = HF_INSTALL_FILE};
    struct hf_swap_inspection seen;
    int r = check(release, failure);

    if (r < 0)
        return r;
    if (!content_of(node, release, release->committed, &content))
        return hf_failure_set(failure, HF_R_NoArtifactForArch, EOPNOTSUPP, "%s", release->what);
    struct hf_swap_params swap = swap_params(release, &content);
    r = mend(release, &swap, failure);
    if (r > 0)
        begins(arg); /* mode and owner alone */
    if (r != 0)
        return HF_MIN(r, 0);
    r = hf_swap_inspect(&swap, &seen, failure);
    if (r < 0)
        return r;
    swap.had_old = seen.exists;
    swap.old_sha256 = seen.sha256;
    swap.old_link = seen.link;
    const struct hf_patch_params patch = {.target = content.target,
                                          .folder = release->folder,
                                          .kind = content.kind,
                                          .method = HF_METHOD_KEPT,
                                          .other = "",
                                          .had_old = swap.had_old,
                                          .old_sha256 = swap.old_sha256,
                                          .old_link = swap.old_link,
                                          .sha256 = swap.sha256,
                                          .size = content.artifact->size,
                                          .has_mode = swap.has_mode,
                                          .mode = swap.mode};
    r = hf_patch_run(&patch, failure);
    if (r == 0) {
        begins(arg);
        r = hf_swap_run(&swap, failure);
    }
    /* What was wrong keeps no second name: an agent that has no journal would put it back. */
    struct hf_swap_inspection put;
    struct hf_swap_params after = swap;
    after.committed = true;
    if (r == 0)
        r = hf_swap_inspect(&after, &put, failure);
    if (r == 0 && strcmp(put.sha256, swap.sha256) != 0)
        r = hf_failure_set(failure, HF_R_TargetChanged, ESTALE, "somebody has changed '%.200s' meanwhile",
                           content.target.path);
    return r;
}
