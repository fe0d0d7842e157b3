/* SPDX-License-Identifier: Apache-2.0 */
/* A worker reads the kubelet's file and looks at the programs; that holds for half a minute. Then each ask goes from
 * one provider to the next whose patterns cover its image: to an answer that is kept, or to a failure that is, or it
 * runs the plugin, or waits while that runs for somebody else. When a plugin has ended, all who wait go on from where
 * they are.
 *
 * While a plugin runs the file is not read again, so that its provider stays. A failure holds as long as what was read:
 * a plugin that hangs costs each image one deadline in a while, not each of its layers. */
#include "mirror/login/logins.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/list.h"
#include "base/strmap.h"
#include "mirror/login/providers.h"
#include "os/secret/guarded_file.h"

enum { MAX_KEPT = 64, MAX_IMAGE = 512, PROBLEM = 300 };
#define HOLDS_NS (30 * HF_NS_PER_S)
#define DEADLINE_NS (30 * HF_NS_PER_S)

struct kept_login {
    uint64_t until_ns;
    struct hf_provider_answer answer;
    char problem[PROBLEM]; /* "": there is an answer */
};

struct plugin {
    struct hf_logins *logins;
    const struct hf_provider *provider;
    struct hf_strmap kept;    /* "i<image>", "r<registry>" or "g" to struct kept_login; "f<image>": a failure */
    struct hf_proc_call *run; /* or NULL */
    char image[MAX_IMAGE];    /* for which it runs */
    char problem[PROBLEM];    /* of the program; "": none */
};

/* A worker has it, and the owner may go meanwhile. */
struct login_look {
    struct hf_job job;
    struct hf_logins *logins; /* NULL: nobody waits */
    const struct hf_fs_ops *fs;
    char *config, *folder;
    struct hf_providers *providers; /* NULL: see `problem` */
    char problem[PROBLEM];
    char problems[HF_PROVIDERS][PROBLEM];
};

struct hf_logins {
    struct hf_logins_params p;
    char *config, *folder;   /* NULL: there are none */
    struct login_look *look; /* or NULL */
    uint64_t until_ns;       /* what was read holds */
    struct hf_providers *providers;
    struct plugin *plugins; /* one of each; or NULL */
    size_t n;
    char problem[PROBLEM], said[PROBLEM]; /* of the file, or of one program; what the log has */
    struct hf_list asks;
};

struct hf_login {
    struct hf_list link;
    struct hf_logins *logins;
    char *image;
    size_t at; /* the provider */
    void (*done)(void *arg, const char *line);
    void *arg;
};

/* ---- what is kept ------------------------------------------------------------------------------------------------ */

static void free_kept(void *value)
{
    struct kept_login *kept = value;

    hf_provider_answer_done(&kept->answer);
    free(kept);
}

static void make_key(char kind, const char *image, char key[MAX_IMAGE + 2])
{
    int n = kind == 'g' ? 0 : kind == 'r' ? (int)strcspn(image, "/") : (int)strlen(image);

    (void)snprintf(key, MAX_IMAGE + 2, "%c%.*s", kind, n, image);
}

static const struct kept_login *find(const struct plugin *plugin, const char *kinds, const char *image)
{
    const uint64_t now_ns = hf_mono_ns(plugin->logins->p.clock);
    char key[MAX_IMAGE + 2];

    for (; *kinds != '\0'; kinds++) {
        make_key(*kinds, image, key);
        const struct kept_login *kept = hf_strmap_get(&plugin->kept, key);
        if (kept != NULL && now_ns < kept->until_ns)
            return kept;
    }
    return NULL;
}

/* True: it is kept. */
static bool keep(struct plugin *plugin, char kind, const char *image, const struct kept_login *what)
{
    struct kept_login *kept = calloc(1, sizeof(*kept));
    char key[MAX_IMAGE + 2];

    if (kept == NULL)
        return false;
    if (plugin->kept.n >= MAX_KEPT) {
        hf_strmap_done(&plugin->kept);
        plugin->kept = (struct hf_strmap){.free_value = free_kept};
    }
    *kept = *what;
    make_key(kind, image, key);
    if (hf_strmap_put(&plugin->kept, key, kept) == 0)
        return true;
    free(kept);
    return false;
}

/* True: it is kept. */
static bool fail(struct plugin *plugin, const char *why)
{
    struct hf_logins *logins = plugin->logins;
    struct kept_login kept = {.until_ns = hf_mono_ns(logins->p.clock) + HOLDS_NS};

    (void)snprintf(kept.problem, sizeof(kept.problem), "credential provider '%.64s': %.160s", plugin->provider->name,
                   why);
    hf_log(logins->p.log, HF_LOG_WARNING, "image.login_failed", HF_S("image", plugin->image),
           HF_S("error", kept.problem));
    return keep(plugin, 'f', plugin->image, &kept);
}

/* ---- those who ask ----------------------------------------------------------------------------------------------- */

static int settle(struct hf_login *login, const char **ret_line);

static void free_login(struct hf_login *login)
{
    hf_list_remove(&login->link);
    free(login->image);
    free(login);
}

static void tell(struct hf_login *login, const char *line)
{
    void (*done)(void *arg, const char *line) = login->done;
    void *arg = login->arg;

    free_login(login);
    done(arg, line);
}

/* Who is told may ask anew, or cancel another. */
static void go_on(struct hf_logins *logins)
{
    struct hf_list *it, *next;
    const char *line = NULL;
    bool told = true;

    while (told) {
        told = false;
        hf_list_each(it, next, &logins->asks) {
            struct hf_login *login = hf_container_of(it, struct hf_login, link);
            if (settle(login, &line) != 0)
                continue;
            tell(login, line);
            told = true;
            break;
        }
    }
}

/* ---- a plugin ---------------------------------------------------------------------------------------------------- */

/* An answer, or a failure, that is not kept is for those who wait with the same image now; not for those who are told
 * and ask anew, for whom the plugin may run already. */
static void give_once(struct plugin *plugin, const struct hf_provider_answer *answer)
{
    struct hf_logins *logins = plugin->logins;
    const char *line = hf_provider_answer_for(answer, plugin->image);
    struct hf_list same, *it, *next;

    hf_list_init(&same);
    hf_list_each(it, next, &logins->asks) {
        struct hf_login *login = hf_container_of(it, struct hf_login, link);
        if (&logins->plugins[login->at] != plugin || strcmp(login->image, plugin->image) != 0)
            continue;
        if (line == NULL) {
            login->at++;
            continue;
        }
        hf_list_remove(it);
        hf_list_append(&same, it);
    }
    while (!hf_list_empty(&same))
        tell(hf_container_of(same.next, struct hf_login, link), line);
}

static const char *failure_of(int r, int exit_code, size_t n, char text[64])
{
    if (r < 0)
        return "it did not answer within 30 seconds";
    (void)snprintf(text, 64, exit_code > 128 ? "signal %d ended it" : "it ended with exit code %d",
                   exit_code > 128 ? exit_code - 128 : exit_code);
    if (exit_code != 0)
        return text;
    return n >= HF_PROVIDER_ANSWER ? "its answer has more than 64 KiB" : NULL;
}

static void ended(void *arg, int r, int exit_code, struct hf_view output)
{
    static const char kinds[] = {'i', 'r', 'g'};
    struct plugin *plugin = arg;
    struct hf_logins *logins = plugin->logins;
    struct kept_login kept = {.until_ns = 0};
    struct hf_err err = HF_ERR_INIT;
    char text[300];

    plugin->run = NULL;
    const char *why = failure_of(r, exit_code, output.n, text);
    if (why == NULL && hf_providers_take(plugin->provider, output, &kept.answer, &err) < 0) {
        hf_provider_answer_done(&kept.answer);
        why = hf_err_text(&err, text, sizeof(text));
    }
    if (why == NULL)
        kept.until_ns = hf_mono_ns(logins->p.clock) + kept.answer.keep_ns;
    bool known = why != NULL ? fail(plugin, why)
                             : kept.answer.keep_ns > 0 && keep(plugin, kinds[kept.answer.scope], plugin->image, &kept);
    if (!known) {
        give_once(plugin, &kept.answer);
        hf_provider_answer_done(&kept.answer);
    }
    go_on(logins);
}

/* 1: it runs. Else it has failed. */
static int run(struct plugin *plugin, const char *image)
{
    const struct hf_provider *provider = plugin->provider;
    const struct hf_proc_ops *proc = plugin->logins->p.proc;
    struct hf_buf question = HF_BUF_INIT(HF_PROC_MAX_INPUT);
    struct hf_err err = HF_ERR_INIT;
    char text[300], path[PATH_MAX];
    size_t n = 0;

    (void)snprintf(plugin->image, sizeof(plugin->image), "%s", image);
    (void)snprintf(path, sizeof(path), "%s/%s", plugin->logins->folder, provider->name);
    while (provider->args[n] != NULL)
        n++;
    _cleanup_(hf_freep) const char **argv = calloc(n + 2, sizeof(*argv));
    int r = argv != NULL ? hf_providers_ask(provider, image, &question) : -ENOMEM;
    if (r == 0) {
        argv[0] = path;
        memcpy(argv + 1, provider->args, n * sizeof(*argv));
        r = proc->spawn(proc->ctx,
                        &(const struct hf_proc_request){.argv = argv,
                                                        .env = (const char *const *)provider->env,
                                                        .timeout_ns = DEADLINE_NS,
                                                        .max_output = HF_PROVIDER_ANSWER,
                                                        .input = hf_buf_view(&question),
                                                        .resource = path, /* such as a folder of a network */
                                                        .stdout_only = true,
                                                        .secret = true,
                                                        .done = ended,
                                                        .arg = plugin},
                        &plugin->run, &err);
    } else {
        (void)hf_err_set(&err, -r, "not enough memory");
    }
    hf_buf_done(&question);
    if (r == 0)
        return 1;
    plugin->run = NULL;
    (void)fail(plugin, hf_err_text(&err, text, sizeof(text)));
    return r;
}

/* ---- the file ---------------------------------------------------------------------------------------------------- */

static void free_look(struct login_look *look)
{
    hf_providers_free(look->providers);
    free(look->config);
    free(look->folder);
    free(look);
}

static void work(struct hf_job *job)
{
    struct login_look *look = hf_container_of(job, struct login_look, job);
    struct hf_buf content = HF_BUF_INIT(256 << 10);
    struct hf_err err = HF_ERR_INIT;
    char text[300], path[PATH_MAX];

    int r = hf_guarded_file_read(look->fs, look->config, &content, &err);
    if (r == 0)
        r = hf_providers_parse(hf_buf_view(&content), &look->providers, &err);
    hf_buf_wipe(&content); /* `env` may have a secret */
    if (r < 0)
        (void)snprintf(look->problem, sizeof(look->problem), "the kubelet's %.100s cannot be used: %.120s",
                       look->config, hf_err_text(&err, text, sizeof(text)));
    for (size_t i = 0; r == 0 && i < look->providers->n; i++) {
        const char *name = look->providers->items[i].name;
        (void)snprintf(path, sizeof(path), "%s/%s", look->folder, name);
        if (hf_guarded_file_check(look->fs, path, &err) < 0)
            (void)snprintf(look->problems[i], sizeof(look->problems[i]),
                           "credential provider '%.64s' cannot be run: %.160s", name,
                           hf_err_text(&err, text, sizeof(text)));
    }
}

static bool runs(const struct hf_logins *logins)
{
    for (size_t i = 0; i < logins->n; i++)
        if (logins->plugins[i].run != NULL)
            return true;
    return false;
}

static bool is_same(const struct hf_providers *a, const struct hf_providers *b)
{
    return (a != NULL) == (b != NULL) && (a == NULL || json_equal(a->tree, b->tree));
}

static void forget(struct hf_logins *logins)
{
    for (size_t i = 0; i < logins->n; i++) {
        if (logins->plugins[i].run != NULL)
            logins->p.proc->cancel(logins->p.proc->ctx, logins->plugins[i].run);
        hf_strmap_done(&logins->plugins[i].kept);
    }
    logins->n = 0;
    free(hf_steal(logins->plugins));
    hf_providers_free(hf_steal(logins->providers));
}

static void use(struct hf_logins *logins, struct hf_providers *providers)
{
    struct hf_list *it, *next;

    forget(logins);
    hf_list_each(it, next, &logins->asks)
        hf_container_of(it, struct hf_login, link)->at = 0;
    if (providers == NULL)
        return;
    logins->plugins = calloc(providers->n, sizeof(*logins->plugins));
    if (logins->plugins == NULL) {
        (void)snprintf(logins->problem, sizeof(logins->problem), "not enough memory");
        hf_providers_free(providers);
        return;
    }
    logins->providers = providers;
    logins->n = providers->n;
    for (size_t i = 0; i < logins->n; i++)
        logins->plugins[i] =
            (struct plugin){.logins = logins, .provider = &providers->items[i], .kept = {.free_value = free_kept}};
}

static void drop_expired(struct plugin *plugin)
{
    const uint64_t now_ns = hf_mono_ns(plugin->logins->p.clock);

    for (size_t i = plugin->kept.n; i > 0; i--) {
        const struct hf_strmap_entry *entry = &plugin->kept.entries[i - 1];
        const struct kept_login *kept = entry->value;
        if (now_ns >= kept->until_ns)
            (void)hf_strmap_remove(&plugin->kept, entry->key);
    }
}

/* Answers stay with the file by which they came. */
static void take(struct hf_logins *logins, struct login_look *look)
{
    memcpy(logins->problem, look->problem, sizeof(logins->problem));
    if (!is_same(logins->providers, look->providers))
        use(logins, hf_steal(look->providers));
    for (size_t i = 0; i < logins->n; i++) {
        drop_expired(&logins->plugins[i]);
        memcpy(logins->plugins[i].problem, look->problems[i], PROBLEM);
        if (logins->problem[0] == '\0')
            memcpy(logins->problem, look->problems[i], PROBLEM);
    }
    if (logins->problem[0] != '\0' && strcmp(logins->problem, logins->said) != 0)
        hf_log(logins->p.log, HF_LOG_WARNING, "image.login_failed", HF_S("error", logins->problem));
    memcpy(logins->said, logins->problem, sizeof(logins->said));
    logins->until_ns = hf_mono_ns(logins->p.clock) + HOLDS_NS;
}

static void worked(struct hf_job *job, int cancelled)
{
    struct login_look *look = hf_container_of(job, struct login_look, job);
    struct hf_logins *logins = look->logins;

    if (logins != NULL) {
        logins->look = NULL;
        if (cancelled)
            (void)snprintf(look->problem, sizeof(look->problem), "the agent stops");
        take(logins, look);
        go_on(logins);
    }
    free_look(look);
}

/* 1: a worker looks. */
static int look_at_file(struct hf_logins *logins)
{
    if (logins->look != NULL)
        return 1;
    struct login_look *look = calloc(1, sizeof(*look));
    if (look == NULL)
        return -ENOMEM;
    *look = (struct login_look){.job = {.work = work, .done = worked},
                                .logins = logins,
                                .fs = logins->p.fs,
                                .config = strdup(logins->config),
                                .folder = strdup(logins->folder)};
    int r = look->config != NULL && look->folder != NULL ? hf_job_submit(logins->p.sched, &look->job) : -ENOMEM;
    if (r < 0)
        free_look(look);
    else
        logins->look = look;
    return r < 0 ? r : 1;
}

/* ---- from one provider to the next ------------------------------------------------------------------------------- */

/* 0: *ret_line; 1: it waits. */
static int settle(struct hf_login *login, const char **ret_line)
{
    struct hf_logins *logins = login->logins;

    *ret_line = NULL;
    if (logins->config == NULL)
        return 0;
    if (logins->look != NULL)
        return 1;
    if (hf_mono_ns(logins->p.clock) >= logins->until_ns && !runs(logins))
        return look_at_file(logins) < 0 ? 0 : 1;
    for (; login->at < logins->n; login->at++) {
        struct plugin *plugin = &logins->plugins[login->at];
        if (!hf_providers_cover(plugin->provider, login->image) || plugin->problem[0] != '\0')
            continue;
        const struct kept_login *kept = find(plugin, "irgf", login->image);
        *ret_line = kept != NULL ? hf_provider_answer_for(&kept->answer, login->image) : NULL;
        if (*ret_line != NULL)
            return 0;
        if (kept == NULL && (plugin->run != NULL || run(plugin, login->image) > 0))
            return 1;
    }
    return 0;
}

int hf_login_start(struct hf_logins *logins, const char *image, void (*done)(void *arg, const char *line), void *arg,
                   const char **ret_line, struct hf_login **ret_login)
{
    *ret_line = NULL;
    if (logins == NULL || logins->config == NULL || strlen(image) >= MAX_IMAGE)
        return 0;
    struct hf_login *login = calloc(1, sizeof(*login));
    if (login == NULL)
        return -ENOMEM;
    *login = (struct hf_login){.logins = logins, .image = strdup(image), .done = done, .arg = arg};
    hf_list_init(&login->link);
    int r = login->image != NULL ? settle(login, ret_line) : -ENOMEM;
    if (r <= 0) {
        free_login(login);
        return r;
    }
    hf_list_append(&logins->asks, &login->link);
    *ret_login = login;
    return 1;
}

void hf_login_cancel(struct hf_login *login)
{
    if (login != NULL)
        free_login(login);
}

const char *hf_logins_problem(const struct hf_logins *logins, const char *image)
{
    if (logins == NULL || logins->config == NULL)
        return NULL;
    if (logins->providers == NULL)
        return logins->problem[0] != '\0' ? logins->problem : NULL;
    for (size_t i = 0; i < logins->n; i++) {
        const struct plugin *plugin = &logins->plugins[i];
        if (!hf_providers_cover(plugin->provider, image))
            continue;
        const struct kept_login *kept = find(plugin, "f", image);
        if (plugin->problem[0] != '\0' || kept != NULL)
            return kept != NULL ? kept->problem : plugin->problem;
    }
    return NULL;
}

/* ---- the whole --------------------------------------------------------------------------------------------------- */

struct hf_logins *hf_logins_new(const struct hf_logins_params *params)
{
    struct hf_logins *logins = calloc(1, sizeof(*logins));

    if (logins == NULL)
        return NULL;
    logins->p = *params;
    hf_list_init(&logins->asks);
    return logins;
}

static void drop(struct hf_logins *logins)
{
    if (logins->look != NULL)
        logins->look->logins = NULL;
    logins->look = NULL;
    forget(logins);
    free(hf_steal(logins->config));
    free(hf_steal(logins->folder));
    logins->until_ns = 0;
    logins->problem[0] = '\0';
}

void hf_logins_free(struct hf_logins *logins)
{
    if (logins != NULL)
        drop(logins);
    free(logins);
}

/* Whoever has mended a plugin need not wait. */
static void drop_failures(struct hf_logins *logins)
{
    for (size_t i = 0; i < logins->n; i++) {
        struct hf_strmap *kept = &logins->plugins[i].kept;
        for (size_t k = kept->n; k > 0; k--)
            if (kept->entries[k - 1].key[0] == 'f')
                (void)hf_strmap_remove(kept, kept->entries[k - 1].key);
    }
}

void hf_logins_configure(struct hf_logins *logins, const char *config, const char *folder)
{
    struct hf_list *it, *next;

    if (logins->folder != NULL && config != NULL && folder != NULL && strcmp(logins->config, config) == 0 &&
        strcmp(logins->folder, folder) == 0) {
        logins->until_ns = 0; /* the file may be another one */
        drop_failures(logins);
        return;
    }
    drop(logins);
    logins->config = config != NULL && folder != NULL ? strdup(config) : NULL;
    logins->folder = logins->config != NULL ? strdup(folder) : NULL;
    if (logins->folder == NULL)
        free(hf_steal(logins->config));
    hf_list_each(it, next, &logins->asks)
        hf_container_of(it, struct hf_login, link)->at = 0;
    go_on(logins);
}
