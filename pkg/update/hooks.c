/* SPDX-License-Identifier: Apache-2.0 */
/* The hooks of a release: commands before and after the swap, and before a rollback. A hook may run again after a power
 * cut or a restart of the agent, and after its step was dropped. */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "update/install/tree.h"
#include "update/release.h"

enum { MAX_VARIABLES = 12, VARIABLE = HF_TARGET_MAX_PATH + NAME_MAX + 32 };

/* ---- what a hook knows ------------------------------------------------------------------------------------------- */

struct environment {
    char text[MAX_VARIABLES][VARIABLE];
    const char *env[MAX_VARIABLES + 1];
    size_t n;
};

static void add(struct environment *environment, const char *name, const char *value)
{
    char *text = environment->text[environment->n];

    assert(environment->n < MAX_VARIABLES);
    (void)snprintf(text, VARIABLE, "%s=%s", name, value);
    environment->env[environment->n++] = text;
    environment->env[environment->n] = NULL;
}

/* The new file, or the archive of the new tree, beside the target until the swap. */
static void add_new_file(struct environment *environment, const struct release *release)
{
    const char *path = release->j.path, *slash = strrchr(path, '/');
    char name[NAME_MAX + 1], file[HF_TARGET_MAX_PATH + NAME_MAX];

    (void)snprintf(file, sizeof(file), "%.*s/%s", (int)(slash != NULL ? slash - path : 0), path,
                   hf_target_file_name(release->j.name, HF_TARGET_NEW, name));
    add(environment, "HOLDFAST_NEW_FILE", file);
}

static void fill(struct environment *environment, const struct release *release, enum hf_hook_kind kind)
{
    const struct hf_journal *j = &release->j;
    char old_sha256[HF_SHA256_HEX] = "";

    if (j->kind == HF_INSTALL_FILE)
        memcpy(old_sha256, j->old_sha256, sizeof(old_sha256));
    else if (!hf_tree_link_parse(j->name, j->old_link, old_sha256))
        old_sha256[0] = '\0';
    add(environment, "PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
    add(environment, "LANG", "C");
    add(environment, "HOLDFAST_HOOK", hf_release_hook_names[kind]);
    add(environment, "HOLDFAST_RELEASE", j->name);
    add(environment, "HOLDFAST_VERSION", j->version);
    add(environment, "HOLDFAST_OLD_VERSION", j->from);
    add(environment, "HOLDFAST_PATH", j->path);
    add(environment, "HOLDFAST_NEW_SHA256", j->sha256);
    add(environment, "HOLDFAST_OLD_SHA256", old_sha256);
    if (kind == HF_HOOK_BEFORE_SWAP)
        add_new_file(environment, release);
}

/* ---- one run ----------------------------------------------------------------------------------------------------- */

static void ended(struct release *release, enum hf_hook_kind kind, int r, const struct hf_failure *failure)
{
    void (*done)(struct release * release, int r, const struct hf_failure *failure) = release->step.hook_done;

    release->step.hook = NULL;
    step_end(release);
    hf_log(release->engine->p.world.log, r < 0 ? HF_LOG_WARNING : HF_LOG_INFO, "update.hook",
           HF_S("release", release->j.name), HF_S("hook", hf_release_hook_names[kind]),
           HF_S("message", r < 0 ? HF_ERR_TEXT(&failure->err) : "done"));
    done(release, r, failure);
}

static void before_swap_ended(void *arg, int r, const struct hf_failure *failure)
{
    ended(arg, HF_HOOK_BEFORE_SWAP, r, failure);
}

static void after_swap_ended(void *arg, int r, const struct hf_failure *failure)
{
    ended(arg, HF_HOOK_AFTER_SWAP, r, failure);
}

static void before_rollback_ended(void *arg, int r, const struct hf_failure *failure)
{
    ended(arg, HF_HOOK_BEFORE_ROLLBACK, r, failure);
}

bool hooks_start(struct release *release, enum hf_hook_kind kind,
                 void (*done)(struct release *release, int r, const struct hf_failure *failure))
{
    static void (*const ends[HF_HOOK_COUNT])(void *arg, int r, const struct hf_failure *failure) = {
        [HF_HOOK_BEFORE_SWAP] = before_swap_ended,
        [HF_HOOK_AFTER_SWAP] = after_swap_ended,
        [HF_HOOK_BEFORE_ROLLBACK] = before_rollback_ended};
    const struct hf_edgeupdate *accepted = release->wanted.accepted;
    const struct hf_hook *spec = accepted != NULL ? &accepted->release.hooks[kind] : NULL;
    struct hf_failure failure = {.reason = HF_R_HookFailed};

    if (spec == NULL || spec->argv[0] == NULL)
        return false;
    struct environment *environment = calloc(1, sizeof(*environment));
    step_begin(release, STEP_HOOK);
    release->step.hook_done = done;
    if (environment == NULL) {
        ended(release, kind, hf_failure_sys(&failure, -ENOMEM, "%s", hf_release_hook_names[kind]), &failure);
        return true;
    }
    fill(environment, release, kind);
    struct hf_command_params params = {.proc = release->engine->p.proc,
                                       .what = hf_release_hook_names[kind],
                                       .argv = spec->argv,
                                       .env = environment->env,
                                       .timeout_ns = spec->timeout_ns,
                                       .reason = HF_R_HookFailed,
                                       .done = ends[kind],
                                       .arg = release};
    int r = hf_command_start(&params, &release->step.hook, &failure);
    free(environment);
    if (r < 0)
        ended(release, kind, r, &failure);
    return true;
}
