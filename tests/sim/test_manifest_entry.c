/* Troubles of one entry of spec.manifests, on virtual time: a content on disk that is lost before it has passed, damaged
 * copies of somebody else's files, refusals that must not wear out the flash. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "codec/sha256.h"
#include "loop/proc.h"
#include "loop/unit.h"
#include "loop/watch.h"
#include "manifests/engine.h"
#include "manifests/source/bundle.h"
#include "manifests/state/record.h"
#include "support/check_main.h"
#include "support/fakes/simfs.h"
#include "support/fakes/simhost.h"
#include "support/fakes/simkubelet.h"
#include "support/fakes/simloop.h"
#include "support/fakes/simnet.h"
#include "support/makers/tarball.h"

#define STATE "/var/lib/holdfast"
#define FILES "\"to\":\"Files\",\"path\":\"/etc/app/\""
#define UNIT ",\"restart\":{\"systemdUnit\":\"app.service\"}"
#define POD(image)                                                                                                     \
    "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec: {containers: [{name: c, image: " image "}]}\n"

struct node {
    struct hf_simloop *loop;
    struct hf_simnet *net;
    struct hf_simfs *fs;
    struct hf_config *config;
    struct hf_syncpolicy *policy;
    struct hf_manifest_desired desired;
    enum hf_link link; /* what the policy says of downloads */
    struct hf_watch_ops watch;
    unsigned watches; /* folders that the engine and its sources watch */
    /* one process */
    struct hf_simproc *proc;
    struct hf_simhost *host;
    struct hf_simclient *client;
    struct hf_manifest_engine *engine;
    /* what the outside saw */
    unsigned restarts, notices[4], statuses, validations;
    char served[20]; /* the content that the service has read: that of /etc/app/a at its last restart */
    char status[800];
};

/* A disk that gives errors: each way into /etc/app fails, or one file of the state cannot be opened. */
static struct {
    const struct hf_fs_ops *inner;
    struct hf_fs_ops ops;
    bool breaks; /* with the next restart that fails */
    bool broken;
    const char *unreadable;  /* one file of the state; NULL for none */
    unsigned errors;         /* of this file */
    bool unwritable;         /* contents cannot be written to the state */
    unsigned refused;        /* how often one could not */
    const char *uncreatable; /* part of the paths of files that cannot be created; NULL for none */
    const char *immutable;   /* name of files that nobody may remove; NULL for none */
    const char *stuck;       /* name of files that no rename can replace; NULL for none */
    int stuck_error;
    bool sticks; /* with the next restart that fails, the file 'a' is stuck */
} target;

static struct hf_simproc *slow; /* whose disk takes long to write a content; NULL: nobody's */

static struct {
    struct hf_simfs *fs;
    unsigned staged;
} scant;

/* The disk takes no record while it holds the staged files. */
static bool is_scant(const char *path, int flags)
{
    struct stat st;

    if (scant.fs == NULL || (flags & O_CREAT) == 0 || strstr(path, "record.new") == NULL ||
        !hf_simfs_stat(scant.fs, "/etc/.holdfast-app.new/c", &st))
        return false;
    scant.staged++;
    return true;
}

static const char *worn_for_ever; /* a file of the state that the disk never reads, however often it is written */
static bool never_reads;          /* the disk reads no file of the target */
static int open_folder_of_target(void *ctx, int dirfd, const char *path, int flags, mode_t mode, unsigned resolve)
{
    bool is_unreadable = target.unreadable != NULL && strcmp(path, target.unreadable) == 0;
    bool is_refused = target.unwritable && (flags & O_CREAT) != 0 && strstr(path, "/b-") != NULL;
    bool is_uncreatable =
        target.uncreatable != NULL && (flags & O_CREAT) != 0 && strstr(path, target.uncreatable) != NULL;

    if (slow != NULL && (flags & O_CREAT) != 0 && strstr(path, "/b-") != NULL) {
        hf_simproc_set_pauses(slow, 20 * HF_NS_PER_S);
        struct hf_simproc *proc = slow;
        for (unsigned i = 0; i < 40; i++)
            (void)hf_simproc_pause(proc);
    }
    if (never_reads && strcmp(path, "a") == 0 && (flags & (O_CREAT | O_PATH)) == 0)
        return -EIO;
    if (worn_for_ever != NULL && strcmp(path, worn_for_ever) == 0 && (flags & O_CREAT) == 0)
        return -EIO;
    target.errors += is_unreadable;
    target.refused += is_refused;
    if (is_unreadable || is_refused || is_uncreatable || is_scant(path, flags) ||
        (target.broken && strcmp(path, "app") == 0))
        return -EIO;
    return target.inner->openat(ctx, dirfd, path, flags, mode, resolve);
}

static int remove_from_target(void *ctx, int dirfd, const char *path, int flags)
{
    if (target.immutable != NULL && strcmp(path, target.immutable) == 0)
        return -EPERM;
    return target.inner->unlinkat(ctx, dirfd, path, flags);
}

/* A file that is written anew, or that replaces the damaged one, lies on other blocks of the disk, which are readable. */
static int rename_in_target(void *ctx, int from_dir, const char *from, int to_dir, const char *to)
{
    if (target.stuck != NULL && strcmp(to, target.stuck) == 0)
        return target.stuck_error;
    if (target.unreadable != NULL && strcmp(to, target.unreadable) == 0)
        target.unreadable = NULL;
    return target.inner->renameat(ctx, from_dir, from, to_dir, to);
}

static const struct hf_fs_ops *fs_of(struct node *node)
{
    target.inner = hf_simfs_ops(node->fs);
    target.ops = *target.inner;
    target.ops.openat = open_folder_of_target;
    target.ops.unlinkat = remove_from_target;
    target.ops.renameat = rename_in_target;
    return &target.ops;
}

/* Memory that runs out once: no timer for the question whether the pods of `file` run. */
static struct {
    const struct hf_sched_ops *inner;
    struct hf_sched_ops ops;
    struct hf_simfs *fs;
    const char *file; /* NULL: there is memory enough */
} scarce;

static struct hf_timer *new_timer(void *ctx, void (*fire)(void *arg), void *arg)
{
    size_t n;

    if (scarce.file == NULL || hf_simfs_get(scarce.fs, scarce.file, &n) == NULL)
        return scarce.inner->timer_new(ctx, fire, arg);
    scarce.file = NULL;
    return NULL;
}

static const struct hf_sched_ops *sched_of(struct hf_simproc *proc)
{
    scarce.inner = hf_simproc_sched(proc);
    scarce.ops = *scarce.inner;
    scarce.ops.timer_new = new_timer;
    return &scarce.ops;
}

/* A kernel that cannot start the next processes. */
static struct {
    const struct hf_proc_ops *inner;
    struct hf_proc_ops ops;
    unsigned failures; /* how many more */
    int error;         /* 0 means -EAGAIN */
} procs;

static int spawn(void *ctx, const struct hf_proc_request *request, struct hf_proc_call **ret_call, struct hf_err *err)
{
    if (procs.failures == 0)
        return procs.inner->spawn(ctx, request, ret_call, err);
    procs.failures--;
    return hf_err_sys(err, procs.error != 0 ? procs.error : -EAGAIN, "run '%s'", request->argv[0]);
}

static const struct hf_proc_ops *proc_of(struct hf_simhost *host)
{
    procs.inner = hf_simhost_proc(host);
    procs.ops = *procs.inner;
    procs.ops.spawn = spawn;
    return &procs.ops;
}

/* ---- the node ---------------------------------------------------------------------------------------------------- */

static void put(struct node *node, const char *path, const char *text)
{
    hf_simfs_put(node->fs, path, text, strlen(text), 0644);
}

static bool has(struct node *node, const char *path, const char *text)
{
    size_t n = 0;
    const char *bytes = hf_simfs_get(node->fs, path, &n);

    return text == NULL ? bytes == NULL : bytes != NULL && n == strlen(text) && memcmp(bytes, text, n) == 0;
}

static bool hangs;     /* no restart of the service ends */
static unsigned fails; /* how many of the next restarts fail whatever the content */
/* Before how many of the next restarts with the content "broken" somebody changes the file to one that works. */
static unsigned tampers;
/* called before each restart of the service, until it returns true; NULL for nothing */
static bool (*on_restart)(struct node *node);

/* The service does not start with the content "broken". */
static int restart(void *arg, const char *unit)
{
    struct node *node = arg;

    ck_assert_str_eq(unit, "app.service");
    node->restarts++;
    if (hangs)
        return HF_SIMHOST_HANGS;
    if (fails > 0) {
        fails--;
        return -EIO;
    }
    if (tampers > 0 && has(node, "/etc/app/a", "broken")) {
        tampers--;
        hf_simfs_put(node->fs, "/etc/app/a", "theirs", 6, 0644);
    }
    if (on_restart != NULL && on_restart(node))
        on_restart = NULL;
    target.broken = target.breaks && has(node, "/etc/app/a", "broken");
    if (target.sticks && has(node, "/etc/app/a", "broken"))
        target.stuck = "a";
    if (has(node, "/etc/app/a", "broken"))
        return -EIO;
    size_t n = 0;
    const char *bytes = hf_simfs_get(node->fs, "/etc/app/a", &n);
    (void)snprintf(node->served, sizeof(node->served), "%.*s", (int)n, bytes != NULL ? bytes : "");
    return 0;
}

static const char *active_state = "active";
static unsigned reloads;

/* As systemd: only an active unit can be reloaded, and a restart makes it active. */
static int reload(void *arg, const char *unit)
{
    (void)arg;
    ck_assert_str_eq(unit, "app.service");
    reloads++;
    return strcmp(active_state, "active") == 0 ? 0 : -EIO;
}

static int start(void *arg, const char *unit)
{
    int r = restart(arg, unit);

    active_state = r == 0 ? "active" : "failed";
    return r;
}

static int state(void *arg, const char *unit, const char **ret_active_state)
{
    (void)arg;
    ck_assert_str_eq(unit, "app.service");
    *ret_active_state = active_state;
    return 0;
}

/* /usr/bin/check, the program that judges a candidate before the swap, takes everything but the content "bad". */
static int run(void *arg, const char *const *argv, int *ret_exit_code)
{
    struct node *node = arg;
    char path[200];

    ck_assert_str_eq(argv[0], "/usr/bin/check");
    (void)snprintf(path, sizeof(path), "%s/a", argv[1]);
    node->validations++;
    *ret_exit_code = has(node, path, "bad") ? 3 : 0;
    return 0;
}

static void format(void *arg, const struct hf_manifest_status *status)
{
    char *text = arg;
    size_t n = strlen(text);

    (void)snprintf(text + n, 800 - n, "%s %s %s %u: %s\n", status->name, hf_manifest_phase_name(status->phase),
                   hf_manifest_reason_name(status->reason), status->drifts, status->message);
}

static int accept_all(void *arg, const char *host, uint16_t port)
{
    (void)arg, (void)host, (void)port;
    return 0;
}

/* Counts the statuses that differ from the last one: each of them goes to the API server. */
static void changed(void *arg)
{
    struct node *node = arg;
    char text[800] = "";

    hf_manifest_engine_each(node->engine, format, text);
    node->statuses += strcmp(text, node->status) != 0;
    memcpy(node->status, text, sizeof(text));
}

static unsigned empty_notices; /* notices of a repair that name no file */
static void happened(void *arg, enum hf_manifest_notice notice, const char *entry, const char *text)
{
    struct node *node = arg;

    (void)entry;
    empty_notices += notice == HF_MANIFEST_NOTICE_DRIFT_REPAIRED && strstr(text, "sub/x") == NULL;
    node->notices[notice]++;
}

static void tell(struct node *node)
{
    node->desired.policy = node->policy;
    node->desired.config = node->config;
    ck_assert_int_eq(hf_manifest_engine_set(node->engine, &node->desired, NULL), 0);
}

/* `manifests` is the text of spec.manifests. */
static void set_policy(struct node *node, const char *manifests)
{
    struct hf_issues *issues = calloc(1, sizeof(*issues));
    static char text[32 << 10];
    json_t *json = NULL;

    (void)snprintf(
        text, sizeof(text),
        "{\"apiVersion\":\"edge.codcompass.io/v1alpha1\",\"kind\":\"SyncPolicy\",\"metadata\":{\"name\":\"p\"},"
        "\"spec\":{\"manifests\":[%s]}}",
        manifests);
    hf_syncpolicy_free(node->policy);
    ck_assert_int_eq(hf_json_parse(hf_view_of(text), NULL, &json, NULL), 0);
    ck_assert_int_eq(hf_syncpolicy_decode(json, &node->policy, issues), 0);
    ck_assert_uint_eq(issues->n_errors, 0);
    json_decref(json);
    free(issues);
}

/* A policy without entries. Its annotation allows a removal. */
static void allow_prune(struct node *node, const char *digest)
{
    struct hf_issues *issues = calloc(1, sizeof(*issues));
    json_t *json = json_pack("{s:s, s:s, s:{s:s, s:{s:o}}, s:{}}", "apiVersion", "edge.codcompass.io/v1alpha1", "kind",
                             "SyncPolicy", "metadata", "name", "p", "annotations", "edge.codcompass.io/allow-prune",
                             json_sprintf("app:%.12s", digest), "spec");

    hf_syncpolicy_free(node->policy);
    ck_assert_int_eq(hf_syncpolicy_decode(json, &node->policy, issues), 0);
    ck_assert_uint_eq(issues->n_errors, 0);
    json_decref(json);
    free(issues);
}

/* The newest watch of one folder. */
static struct {
    const char *path; /* NULL: of none */
    void (*fire)(void *arg);
    void *arg;
} watched;

static int add_watch(void *ctx, const char *path, void (*fire)(void *arg), void *arg, struct hf_watch **ret_watch,
                     struct hf_err *err)
{
    struct node *node = ctx;

    (void)err;
    if (watched.path != NULL && strcmp(path, watched.path) == 0) {
        watched.fire = fire;
        watched.arg = arg;
    }
    *ret_watch = ctx;
    node->watches++;
    return 0;
}

static void remove_watch(void *ctx, struct hf_watch *watch)
{
    struct node *node = ctx;

    node->watches -= watch != NULL;
}

static enum hf_link link_gate(void *arg, uint64_t *ret_wait_ns)
{
    const struct node *node = arg;

    *ret_wait_ns = 10 * HF_NS_PER_S;
    return node->link;
}

static int trust_signed = -1; /* -1: nobody is asked */

static bool ask_trust(void *arg, const struct hf_manifest *entry, enum hf_manifest_reason *ret_reason,
                      struct hf_err *err)
{
    (void)arg, (void)entry, (void)err;
    *ret_reason = HF_MANIFEST_REASON_SIGNATURE_INVALID;
    return trust_signed == 1;
}

static void boot(struct node *node)
{
    struct hf_simhost_world host = {
        .arg = node, .exec = run, .connect = accept_all, .restart = start, .reload = reload, .state = state};

    node->proc = hf_simproc_new(node->loop, "agent");
    node->host = hf_simhost_new(node->proc, &host);
    node->client = hf_simnet_client(node->net, node->proc);
    struct hf_manifest_engine_params params = {.env = {.fs = fs_of(node),
                                                       .clock = hf_simproc_clock(node->proc),
                                                       .rng = hf_simproc_rand(node->proc),
                                                       .sched = sched_of(node->proc),
                                                       .http = hf_simclient_ops(node->client),
                                                       .proc = proc_of(node->host),
                                                       .probe = hf_simhost_probe(node->host),
                                                       .unit = hf_simhost_unit(node->host),
                                                       .watch = node->watch.add != NULL ? &node->watch : NULL,
                                                       .link = link_gate,
                                                       .link_arg = node,
                                                       .static_pod_health = true,
                                                       .config = node->config,
                                                       .state_dir = STATE,
                                                       .node_name = "n1",
                                                       .retry_base_ns = HF_NS_PER_S,
                                                       .retry_cap_ns = 10 * HF_NS_PER_S},
                                               .is_signed = trust_signed >= 0 ? ask_trust : NULL,
                                               .changed = changed,
                                               .happened = happened,
                                               .arg = node};
    if (hf_manifest_engine_new(&params, &node->engine, NULL) < 0) {
        node->engine = NULL;
        return;
    }
    hf_manifest_engine_repair_now(node->engine);
    tell(node);
}

static void shut_down(struct node *node)
{
    hf_manifest_engine_free(node->engine);
    node->engine = NULL;
    while (hf_simproc_jobs(node->proc) > 0 && hf_simloop_step(node->loop))
        ;
    hf_simclient_free(node->client);
    hf_simhost_free(node->host);
    hf_simproc_free(node->proc);
    node->proc = NULL;
}

static struct node *begin(const char *manifests, uint64_t seed)
{
    static const char config[] = "apiVersion: edge.codcompass.io/v1alpha1\nkind: AgentConfiguration\n"
                                 "staticPodFolder: /etc/pods\nmanifests:\n  staticPods: true\n"
                                 "  files: [/etc/app/**, /srv/**]\n  paths: [/media/**]\n  units: [app.service]\n"
                                 "  exec: [/usr/bin/check]\n";
    struct node *node = calloc(1, sizeof(*node));

    node->loop = hf_simloop_new(seed);
    node->net = hf_simnet_new(node->loop);
    node->fs = hf_simfs_new();
    node->desired.proven = true;
    node->link = HF_LINK_OPEN;
    node->watch = (struct hf_watch_ops){.ctx = node, .add = add_watch, .remove = remove_watch};
    ck_assert_int_eq(hf_config_parse(HF_VIEW(config), "agent.yaml", &node->config, NULL), 0);
    ck_assert_uint_eq(hf_config_n_faults(node->config), 0);
    set_policy(node, manifests);
    hf_simfs_mkdir(node->fs, "/etc/app", 0755);
    hf_simfs_mkdir(node->fs, "/etc/pods", 0755);
    hf_simfs_mkdir(node->fs, STATE, 0700);
    return node;
}

static void end(struct node *node)
{
    if (node->proc != NULL)
        shut_down(node);
    ck_assert_uint_eq(hf_simfs_open_fds(node->fs), 0);
    hf_syncpolicy_free(node->policy);
    hf_config_free(node->config);
    hf_simfs_free(node->fs);
    hf_simnet_free(node->net);
    hf_simloop_free(node->loop);
    free(node);
}

/* Runs intervals of 10 s. */
static void intervals(struct node *node, unsigned n)
{
    for (unsigned i = 0; i < n && !hf_simfs_stopped(node->fs); i++) {
        hf_manifest_engine_check(node->engine);
        tell(node);
        (void)hf_simloop_run_for(node->loop, 10 * HF_NS_PER_S);
    }
}

struct seen {
    bool there;
    struct hf_manifest_status status;
    char message[600];
};

static void see(void *arg, const struct hf_manifest_status *status)
{
    struct seen *seen = arg;

    if (strcmp(status->name, "app") != 0)
        return;
    seen->there = true;
    seen->status = *status;
    (void)snprintf(seen->message, sizeof(seen->message), "%s", status->message);
}

static struct seen look(struct node *node)
{
    struct seen seen = {.there = false};

    hf_manifest_engine_each(node->engine, see, &seen);
    ck_assert(seen.there);
    return seen;
}

static void expect(struct node *node, enum hf_manifest_phase phase, enum hf_manifest_reason reason, const char *when)
{
    struct seen seen = look(node);

    ck_assert_msg(seen.status.phase == phase && seen.status.reason == reason, "%s: %s %s: %s", when,
                  hf_manifest_phase_name(seen.status.phase), hf_manifest_reason_name(seen.status.reason), seen.message);
}

/* The entry has its first content, "one" in the file a. */
static struct node *begin_applied(const char *manifests, uint64_t seed)
{
    struct node *node = begin(manifests, seed);

    put(node, "/media/usb/a", "one");
    boot(node);
    intervals(node, 4);
    expect(node, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_APPLIED, "first");
    return node;
}

/* ---- a content that is lost before it has passed ----------------------------------------------------------------- */

struct loss {
    struct node *node;
    char good[256]; /* path of the content that stays; "" for none */
    unsigned n;
};

static void damage(void *arg, const char *path, const struct stat *st)
{
    struct loss *loss = arg;

    if (S_ISREG(st->st_mode) && strstr(path, "/b-") != NULL && strcmp(path, loss->good) != 0) {
        put(loss->node, path, "damaged");
        loss->n++;
    }
}

static void find_good(void *arg, const char *path, const struct stat *st)
{
    struct loss *loss = arg;

    if (S_ISREG(st->st_mode) && strstr(path, "/b-") != NULL)
        (void)snprintf(loss->good, sizeof(loss->good), "%s", path);
}

static void power_cut(struct node *node, uint64_t seed)
{
    hf_simproc_kill(node->proc);
    shut_down(node);
    hf_simfs_kill(node->fs);
    hf_simfs_power_cut(node->fs, seed);
}

/* Whatever the cut leaves, and although the copy of the new content is damaged then: the service never counts as good
 * with it, and the last good content, and the file of somebody else, are in place in the end. */
static bool lose_at(uint64_t n, bool first)
{
    struct node *node =
        begin("{\"name\":\"app\",\"from\":{\"path\":\"/media/usb\"},\"force\":true,\"prune\":true," FILES UNIT "}", n);
    struct loss loss = {.node = node};
    char when[60];

    (void)snprintf(when, sizeof(when), "cut at %u", (unsigned)n);
    put(node, "/etc/app/z", "theirs");
    if (first) {
        put(node, "/media/usb/a", "one");
        boot(node);
        intervals(node, 4);
        expect(node, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_APPLIED, "first");
        shut_down(node);
        hf_simfs_walk(node->fs, STATE, find_good, &loss);
    }
    put(node, "/media/usb/a", "broken");
    put(node, "/media/usb/z", "ours");
    hf_simfs_count_only(node->fs, HF_SIMFS_WRITES);
    hf_simfs_stop_at(node->fs, n);
    boot(node);
    if (node->engine != NULL)
        intervals(node, 6);
    bool cut = hf_simfs_stopped(node->fs);
    if (cut) {
        power_cut(node, n);
        hf_simfs_walk(node->fs, STATE, damage, &loss);
        boot(node);
        intervals(node, 12);
    }
    hf_simfs_stop_at(node->fs, 0);
    expect(node, HF_MANIFEST_ROLLED_BACK, HF_MANIFEST_REASON_RESTART_FAILED, when);
    ck_assert_msg(has(node, "/etc/app/a", first ? "one" : NULL), "%s: a", when);
    ck_assert_msg(has(node, "/etc/app/z", "theirs"), "%s: z", when);
    end(node);
    return cut;
}

START_TEST(lost_content_is_not_good)
{
    uint64_t n = 1;

    while (lose_at(n, _i == 0))
        n++;
    ck_assert_uint_gt(n, 20);
}
END_TEST

static const char *phase_on_disk(struct node *node)
{
    static const char *const phases[] = {"\"Applying\"", "\"Probation\"", "\"Waiting\"", "\"Applied\""};
    size_t size = 0;
    const char *text = hf_simfs_get(node->fs, STATE "/manifests/app/record", &size);

    for (size_t i = 0; text != NULL && i < HF_LEN(phases); i++)
        if (memmem(text, size, phases[i], strlen(phases[i])) != NULL)
            return phases[i];
    return "";
}

/* The content of static pods is lost while they are on trial, and the source is away: nobody can say which pods must
 * run, so the entry waits. */
START_TEST(lost_pods_are_not_good)
{
    unsigned probations = 0;

    for (uint64_t n = 1;; n++) {
        struct node *node =
            begin("{\"name\":\"app\",\"from\":{\"path\":\"/media/usb\"},\"to\":\"StaticPods\"}", 100 + n);
        struct loss loss = {.node = node};
        put(node, "/media/usb/web.yaml", POD("a"));
        hf_simfs_count_only(node->fs, HF_SIMFS_WRITES);
        hf_simfs_stop_at(node->fs, n);
        boot(node);
        if (node->engine != NULL)
            intervals(node, 6);
        if (!hf_simfs_stopped(node->fs)) {
            end(node);
            break;
        }
        power_cut(node, n);
        if (strcmp(phase_on_disk(node), "\"Probation\"") == 0 || strcmp(phase_on_disk(node), "\"Applying\"") == 0) {
            probations += strcmp(phase_on_disk(node), "\"Probation\"") == 0;
            hf_simfs_walk(node->fs, STATE, damage, &loss);
            hf_simfs_delete(node->fs, "/media/usb/web.yaml");
            boot(node);
            intervals(node, 6);
            ck_assert_uint_gt(loss.n, 0);
            ck_assert_msg(look(node).status.phase == HF_MANIFEST_WAITING ||
                              look(node).status.phase == HF_MANIFEST_FETCHING,
                          "cut at %u: %s", (unsigned)n, hf_manifest_phase_name(look(node).status.phase));
            put(node, "/media/usb/web.yaml", POD("a"));
            intervals(node, 8);
            expect(node, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_HEALTH_UNKNOWN, "the source is back");
            ck_assert_ptr_nonnull(strstr(look(node).message, "health unknown"));
            ck_assert(has(node, "/etc/pods/app_default_web.yaml", POD("a")));
        } else {
            boot(node);
        }
        end(node);
    }
    ck_assert_uint_gt(probations, 0);
}
END_TEST

/* ---- copies of somebody else's files that are damaged ------------------------------------------------------------ */

static void damage_file(struct node *node, const char *path, unsigned how)
{
    size_t n = 0;
    const char *bytes = hf_simfs_get(node->fs, path, &n);
    char copy[4096];

    ck_assert(bytes != NULL && n < sizeof(copy));
    memcpy(copy, bytes, n);
    copy[n / 2] ^= 1;
    hf_simfs_delete(node->fs, path);
    if (how == 0)
        hf_simfs_put(node->fs, path, copy, n, 0600);
    else if (how == 1)
        put(node, path, "");
    else
        hf_simfs_mkdir(node->fs, path, 0700); /* it cannot be read at all */
}

/* The rollback comes to its end whatever happens to what it goes back to. A file of somebody else comes back as long as
 * its content is there, and is never removed. */
START_TEST(damaged_before)
{
    static const char *const names[] = {STATE "/manifests/app/before", STATE "/manifests/app/before.list"};
    const char *name = names[_i / 3];
    unsigned how = (unsigned)_i % 3, damaged = 0;

    for (uint64_t n = 1;; n++) {
        struct node *node = begin(
            "{\"name\":\"app\",\"from\":{\"path\":\"/media/usb\"},\"force\":true,\"prune\":true," FILES UNIT "}", n);
        size_t size;
        put(node, "/etc/app/z", "theirs");
        put(node, "/media/usb/a", "broken");
        put(node, "/media/usb/z", "ours");
        hf_simfs_count_only(node->fs, HF_SIMFS_WRITES);
        hf_simfs_stop_at(node->fs, n);
        boot(node);
        if (node->engine != NULL)
            intervals(node, 6);
        if (!hf_simfs_stopped(node->fs)) {
            end(node);
            break;
        }
        power_cut(node, n);
        if (hf_simfs_get(node->fs, name, &size) != NULL) {
            damage_file(node, name, how);
            damaged++;
        }
        boot(node);
        intervals(node, 20);
        if (how == 2 && look(node).status.phase == HF_MANIFEST_WAITING) { /* nothing has changed: a person may look */
            expect(node, HF_MANIFEST_WAITING, HF_MANIFEST_REASON_WRITE_FAILED, name);
            ck_assert(has(node, "/etc/app/z", "theirs"));
            hf_simfs_delete(node->fs, name);
            intervals(node, 6);
        }
        expect(node, HF_MANIFEST_ROLLED_BACK, HF_MANIFEST_REASON_RESTART_FAILED, name);
        ck_assert(has(node, "/etc/app/a", NULL));
        ck_assert_msg(has(node, "/etc/app/z", "theirs") || (_i < 3 && has(node, "/etc/app/z", "ours")),
                      "%s, %u: cut at %u", name, how, (unsigned)n);
        if (how == 2)
            hf_simfs_delete(node->fs, name);
        put(node, "/media/usb/a", "good"); /* a newer content is not kept out */
        put(node, "/media/usb/z", "ours");
        intervals(node, 6);
        expect(node, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_APPLIED, name);
        end(node);
    }
    ck_assert_uint_gt(damaged, 5);
}
END_TEST

/* Both are damaged: nobody knows which files are somebody else's, so the rollback removes none. */
START_TEST(all_of_before_is_damaged)
{
    static const char *const names[] = {STATE "/manifests/app/before", STATE "/manifests/app/before.list"};
    unsigned damaged = 0;

    for (uint64_t n = 1;; n++) {
        struct node *node = begin(
            "{\"name\":\"app\",\"from\":{\"path\":\"/media/usb\"},\"force\":true,\"prune\":true," FILES UNIT "}", n);
        size_t size;
        put(node, "/etc/app/z", "theirs");
        put(node, "/media/usb/a", "broken");
        put(node, "/media/usb/z", "ours");
        hf_simfs_count_only(node->fs, HF_SIMFS_WRITES);
        hf_simfs_stop_at(node->fs, n);
        boot(node);
        if (node->engine != NULL)
            intervals(node, 6);
        if (!hf_simfs_stopped(node->fs)) {
            end(node);
            break;
        }
        power_cut(node, n);
        if (hf_simfs_get(node->fs, names[0], &size) != NULL && hf_simfs_get(node->fs, names[1], &size) != NULL) {
            damage_file(node, names[0], (unsigned)_i);
            damage_file(node, names[1], (unsigned)_i);
            damaged++;
        }
        boot(node);
        intervals(node, 20);
        for (size_t i = 0; i < HF_LEN(names) && look(node).status.phase == HF_MANIFEST_WAITING; i++)
            hf_simfs_delete(node->fs, names[i]); /* they cannot be read, and nothing has changed: a person may look */
        intervals(node, 6);
        expect(node, HF_MANIFEST_ROLLED_BACK, HF_MANIFEST_REASON_RESTART_FAILED, "both are damaged");
        ck_assert_msg(has(node, "/etc/app/z", "theirs") || has(node, "/etc/app/z", "ours"), "%d: cut at %u", _i,
                      (unsigned)n);
        end(node);
    }
    ck_assert_uint_gt(damaged, 5);
}
END_TEST

/* ---- files of somebody else that are as wanted already ----------------------------------------------------------- */

/* The set writes nothing: its one file is there, and another one goes. The rollback leaves the file to its owner, also
 * after a power cut at any write. */
START_TEST(adopted_file_stays)
{
    unsigned cuts = 0;

    for (uint64_t n = 0;; n++) {
        struct node *node =
            begin("{\"name\":\"app\",\"from\":{\"path\":\"/media/usb\"},\"prune\":true," FILES UNIT "}", n + 1);
        put(node, "/media/usb/b", "one");
        boot(node);
        intervals(node, 4);
        expect(node, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_APPLIED, "first");
        put(node, "/etc/app/a", "broken");
        hf_simfs_delete(node->fs, "/media/usb/b");
        put(node, "/media/usb/a", "broken");
        hf_simfs_count_only(node->fs, HF_SIMFS_WRITES);
        hf_simfs_stop_at(node->fs, n); /* 0: never */
        intervals(node, 6);
        bool stopped = hf_simfs_stopped(node->fs);
        if (stopped) {
            cuts++;
            power_cut(node, n);
            boot(node);
            intervals(node, 20);
        }
        expect(node, HF_MANIFEST_ROLLED_BACK, HF_MANIFEST_REASON_RESTART_FAILED, "second");
        ck_assert_msg(has(node, "/etc/app/a", "broken"), "cut at %u: the file of somebody else is gone", (unsigned)n);
        ck_assert_msg(has(node, "/etc/app/b", "one"), "cut at %u", (unsigned)n);
        end(node);
        if (n > 0 && !stopped)
            break;
    }
    ck_assert_uint_gt(cuts, 5);
}
END_TEST

/* The record is lost during the checks of a set, so nobody knows what was good. The rollback gives back the file of
 * somebody else that this set has taken over; its other file stays, and is the entry's own. */
START_TEST(adopted_file_stays_without_the_record)
{
    struct node *node =
        begin("{\"name\":\"app\",\"from\":{\"path\":\"/media/usb\"},\"prune\":true," FILES UNIT "}", 73);

    put(node, "/etc/app/z", "theirs");
    put(node, "/media/usb/a", "broken");
    put(node, "/media/usb/z", "theirs");
    hangs = true;
    boot(node);
    intervals(node, 1);
    expect(node, HF_MANIFEST_PROBATION, HF_MANIFEST_REASON_NONE, "on trial");
    hf_simproc_kill(node->proc);
    shut_down(node);
    hangs = false;
    put(node, STATE "/manifests/app/record", "damaged");
    boot(node);
    intervals(node, 6);
    expect(node, HF_MANIFEST_ROLLED_BACK, HF_MANIFEST_REASON_RESTART_FAILED, "rolled back");
    ck_assert(has(node, "/etc/app/a", "broken") && has(node, "/etc/app/z", "theirs"));
    ck_assert_ptr_null(hf_simfs_get(node->fs, STATE "/manifests/app/before.list", &(size_t){0}));
    /* The same content once more, which changes no file: it has to pass its checks. */
    set_policy(
        node,
        "{\"name\":\"app\",\"from\":{\"path\":\"/media/usb\"},\"prune\":true,\"healthDeadline\":\"3m\"," FILES UNIT
        "}");
    intervals(node, 6);
    expect(node, HF_MANIFEST_ROLLED_BACK, HF_MANIFEST_REASON_RESTART_FAILED, "once more");
    hf_simfs_delete(node->fs, "/media/usb/z");
    put(node, "/media/usb/a", "good");
    intervals(node, 6);
    expect(node, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_APPLIED, "next");
    ck_assert(has(node, "/etc/app/a", "good"));
    ck_assert_msg(has(node, "/etc/app/z", "theirs"), "the file of somebody else is gone");
    end(node);
}
END_TEST

/* ---- a target that fails for a while ----------------------------------------------------------------------------- */

/* A rollback waits for a target that cannot be read, because the content to go back to is there. */
START_TEST(rollback_waits_for_the_target)
{
    struct node *node = begin_applied("{\"name\":\"app\",\"from\":{\"path\":\"/media/usb\"}," FILES UNIT "}", 9);

    target.breaks = true;
    put(node, "/media/usb/a", "broken");
    intervals(node, 30);
    ck_assert(target.broken);
    ck_assert_int_eq(look(node).status.phase, HF_MANIFEST_ROLLING_BACK);
    target.breaks = target.broken = false;
    intervals(node, 4);
    expect(node, HF_MANIFEST_ROLLED_BACK, HF_MANIFEST_REASON_RESTART_FAILED, "the target is back");
    ck_assert(has(node, "/etc/app/a", "one"));
    end(node);
}
END_TEST

/* The service failed because its files were missing: systemd would refuse to reload it, so it is started. */
START_TEST(reload_starts_what_is_not_active)
{
    struct node *node = begin("{\"name\":\"app\",\"from\":{\"path\":\"/media/usb\"}," FILES
                              ",\"reload\":{\"systemdUnit\":\"app.service\"}}",
                              9);

    reloads = 0;
    active_state = "failed";
    put(node, "/media/usb/a", "one");
    boot(node);
    intervals(node, 4);
    expect(node, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_APPLIED, "first");
    ck_assert_uint_eq(node->restarts, 1);
    ck_assert_uint_eq(reloads, 0);
    put(node, "/media/usb/a", "two");
    intervals(node, 4);
    expect(node, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_APPLIED, "second");
    ck_assert_uint_eq(node->restarts, 1);
    ck_assert_uint_eq(reloads, 1);
    active_state = "activating"; /* it waits for its next automatic restart */
    hf_simfs_put(node->fs, "/etc/app/a", "drift", 5, 0644);
    intervals(node, 4);
    ck_assert(has(node, "/etc/app/a", "two"));
    ck_assert_uint_eq(node->restarts, 2);
    ck_assert_uint_eq(reloads, 1);
    end(node);
    active_state = "active";
}
END_TEST

/* However often the target has failed before, one error of the disk does not make the backups count as lost. */
START_TEST(rollback_reads_again)
{
    struct node *node =
        begin("{\"name\":\"app\",\"from\":{\"path\":\"/media/usb\"},\"force\":true,\"prune\":true," FILES UNIT "}", 9);

    put(node, "/etc/app/z", "theirs");
    put(node, "/media/usb/a", "one");
    boot(node);
    intervals(node, 4);
    expect(node, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_APPLIED, "first");
    target.breaks = true;
    put(node, "/media/usb/a", "broken");
    put(node, "/media/usb/z", "ours");
    intervals(node, 60);
    ck_assert(target.broken);
    target.unreadable = STATE "/manifests/app/before";
    target.breaks = target.broken = false;
    for (unsigned i = 0; i < 60 && target.errors == 0; i++)
        intervals(node, 1);
    ck_assert_uint_gt(target.errors, 0);
    ck_assert_int_eq(look(node).status.phase, HF_MANIFEST_ROLLING_BACK);
    target.unreadable = NULL;
    intervals(node, 30);
    expect(node, HF_MANIFEST_ROLLED_BACK, HF_MANIFEST_REASON_RESTART_FAILED, "the disk reads again");
    ck_assert(has(node, "/etc/app/a", "one") && has(node, "/etc/app/z", "theirs"));
    end(node);
}
END_TEST

/* The content to which a set was rolled back is lost, and the source has only the content that failed. To fetch that one
 * again would repair nothing: drift is reported, and nothing is written. */
START_TEST(lost_older_content_is_not_fetched)
{
    struct node *node = begin("{\"name\":\"app\",\"from\":{\"path\":\"/media/usb\"}," FILES UNIT "}", 10);
    struct loss loss = {.node = node};

    put(node, "/media/usb/a", "one");
    boot(node);
    intervals(node, 4);
    hf_simfs_walk(node->fs, STATE, find_good, &loss);
    put(node, "/media/usb/a", "broken");
    intervals(node, 6);
    expect(node, HF_MANIFEST_ROLLED_BACK, HF_MANIFEST_REASON_RESTART_FAILED, "the second one");
    put(node, loss.good, "damaged");
    put(node, "/etc/app/a", "drift");
    intervals(node, 4);
    expect(node, HF_MANIFEST_ROLLED_BACK, HF_MANIFEST_REASON_SOURCE_UNREACHABLE, "nothing to repair it from");
    hf_simfs_count_only(node->fs, HF_SIMFS_GROWS);
    uint64_t calls = hf_simfs_calls(node->fs);
    intervals(node, 60);
    ck_assert_msg(hf_simfs_calls(node->fs) == calls, "%u calls that write",
                  (unsigned)(hf_simfs_calls(node->fs) - calls));
    put(node, "/media/usb/a", "three");
    intervals(node, 4);
    expect(node, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_APPLIED, "a newer content");
    end(node);
}
END_TEST

/* The disk cannot read the state of one entry. The others go on, and this one does when the disk can. */
START_TEST(unreadable_state_stops_one_entry)
{
    static const char *const names[] = {STATE "/manifests/app/record", STATE "/manifests/app/inventory"};
    static const char two[] = "{\"name\":\"app\",\"from\":{\"path\":\"/media/usb\"}," FILES "},"
                              "{\"name\":\"b\",\"from\":{\"path\":\"/media/b\"},\"to\":\"Files\","
                              "\"path\":\"/srv/b/\"}";
    struct node *node = begin(two, 11);

    put(node, "/media/usb/a", "one");
    put(node, "/media/b/f", "one");
    boot(node);
    intervals(node, 4);
    expect(node, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_APPLIED, "first");
    shut_down(node);
    target.unreadable = names[_i];
    put(node, "/media/usb/a", "two");
    put(node, "/media/b/f", "two");
    boot(node);
    ck_assert_msg(node->engine != NULL, "the agent does not start");
    intervals(node, 4);
    expect(node, HF_MANIFEST_WAITING, HF_MANIFEST_REASON_WRITE_FAILED, "it cannot be read");
    unsigned statuses = node->statuses;
    intervals(node, 6);
    ck_assert_uint_eq(node->statuses, statuses);
    ck_assert(has(node, "/srv/b/f", "two") && has(node, "/etc/app/a", "one"));
    target.unreadable = NULL;
    intervals(node, 4);
    expect(node, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_APPLIED, "it can be read again");
    ck_assert(has(node, "/etc/app/a", "two"));
    end(node);
}
END_TEST

/* ---- content that never rests ------------------------------------------------------------------------------------ */

static void publish(struct node *node, unsigned number)
{
    char text[40];

    (void)snprintf(text, sizeof(text), "content %u", number);
    put(node, "/media/usb/a", text);
}

static bool has_number(struct node *node, unsigned number)
{
    char text[40];

    (void)snprintf(text, sizeof(text), "content %u", number);
    return has(node, "/etc/app/a", text);
}

/* A source that changes every 10 s for two hours. The first contents are in place at once; then the node takes up fewer
 * and fewer, and the newest one in the end. Drift is repaired all the time; a change of the entry begins anew. */
START_TEST(hostile_source_is_paced)
{
    struct node *node = begin("{\"name\":\"app\",\"from\":{\"path\":\"/media/usb\"}," FILES UNIT "}", 7);
    unsigned number = 0;

    publish(node, ++number);
    boot(node);
    for (; number < 5; publish(node, ++number)) {
        intervals(node, 1);
        ck_assert(has_number(node, number));
    }
    for (unsigned i = 0; i < 720; i++, publish(node, ++number))
        intervals(node, 1);
    ck_assert_uint_ge(node->restarts, 10);
    ck_assert_uint_le(node->restarts, 5 + 3 + 24); /* gaps of 1, 2 and 4 minutes, then of 5, which is the interval */
    ck_assert(!has_number(node, number));
    ck_assert_ptr_nonnull(strstr(node->status, "Applied ContentPaced"));
    ck_assert_uint_le(node->statuses, 6 * node->restarts + 10); /* its way through the phases, and ContentPaced */
    hf_simfs_count_only(node->fs, HF_SIMFS_WRITES);
    put(node, "/etc/app/a", "drift");
    intervals(node, 2);
    ck_assert(!has(node, "/etc/app/a", "drift"));
    ck_assert_uint_eq(look(node).status.drifts, 1);
    uint64_t calls = hf_simfs_calls(node->fs);
    for (unsigned i = 0; i < 10; i++, publish(node, ++number))
        (void)hf_simloop_run_for(node->loop, 2 * HF_NS_PER_S);
    ck_assert_uint_eq(hf_simfs_calls(node->fs), calls); /* what is turned away is not written */
    set_policy(node, "{\"name\":\"app\",\"from\":{\"path\":\"/media/usb\"},\"prune\":true," FILES UNIT "}");
    intervals(node, 3);
    ck_assert(has_number(node, number));
    intervals(node, 40);
    ck_assert(has_number(node, number));
    expect(node, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_APPLIED, "quiet again");
    end(node);
}
END_TEST

/* A full disk, or a budget that is used up, keeps new content out before any byte of it is written. */
START_TEST(full_disk_keeps_content_out)
{
    struct node *node = begin("{\"name\":\"app\",\"from\":{\"path\":\"/media/usb\"}," FILES UNIT "}", 8);

    publish(node, 1);
    boot(node);
    intervals(node, 3);
    node->desired.no_space = _i == 0;
    node->desired.writes_used_up = _i == 1;
    tell(node);
    publish(node, 2);
    hf_simfs_count_only(node->fs, HF_SIMFS_WRITES);
    uint64_t calls = hf_simfs_calls(node->fs);
    intervals(node, 5);
    ck_assert_uint_eq(hf_simfs_calls(node->fs), calls);
    expect(node, HF_MANIFEST_APPLIED, _i == 0 ? HF_MANIFEST_REASON_NO_SPACE : HF_MANIFEST_REASON_CONTENT_PACED, "full");
    put(node, "/etc/app/a", "drift");
    intervals(node, 2);
    ck_assert(has_number(node, 1));
    node->desired.no_space = node->desired.writes_used_up = false;
    intervals(node, 3);
    ck_assert(has_number(node, 2));
    end(node);
}
END_TEST

/* ---- a content that is pinned ------------------------------------------------------------------------------------ */

/* The entry, with the digest of a folder that has this content in the file "a". */
static void pin(struct node *node, const char *content)
{
    _cleanup_(hf_bundle_freep) struct hf_bundle *bundle = hf_bundle_new();
    char text[300];

    ck_assert_int_eq(hf_bundle_add(bundle, "a", 0644, hf_view_of(content), NULL), 0);
    ck_assert_int_eq(hf_bundle_seal(bundle, NULL), 0);
    (void)snprintf(text, sizeof(text),
                   "{\"name\":\"app\",\"from\":{\"path\":\"/media/usb\"},\"contentDigest\":\"%s\"," FILES "}",
                   bundle->digest);
    set_policy(node, text);
}

/* The status says that the source has another content than the pinned one, for as long as that is so. */
START_TEST(mismatch_stays_in_the_status)
{
    struct node *node = begin("", 41);

    pin(node, "one");
    put(node, "/media/usb/a", "one");
    boot(node);
    intervals(node, 4);
    expect(node, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_APPLIED, "the pinned content");
    put(node, "/media/usb/a", "two");
    intervals(node, 1);
    for (unsigned i = 0; i < 3; i++) {
        expect(node, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_DIGEST_MISMATCH, "another content");
        intervals(node, 2);
    }
    const struct hf_fs_ops *fs = hf_simfs_ops(node->fs);
    ck_assert_int_eq(fs->unlinkat(fs->ctx, AT_FDCWD, "/media/usb/a", 0), 0);
    intervals(node, 2);
    expect(node, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_SOURCE_EMPTY, "no content");
    put(node, "/media/usb/a", "two");
    intervals(node, 3);
    expect(node, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_DIGEST_MISMATCH, "another content again");
    if (_i != 1)
        put(node, "/media/usb/a", "one");
    if (_i == 1)
        pin(node, "two");
    if (_i == 2)
        set_policy(node, "{\"name\":\"app\",\"from\":{\"path\":\"/media/usb\"}," FILES "}");
    intervals(node, 4);
    expect(node, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_APPLIED, "the pinned content again");
    ck_assert(has(node, "/etc/app/a", _i == 1 ? "two" : "one"));
    end(node);
}
END_TEST

/* ---- refusals ---------------------------------------------------------------------------------------------------- */

static void set_config(struct node *node, const char *files)
{
    struct hf_config *old = node->config;
    char text[300];

    (void)snprintf(text, sizeof(text),
                   "apiVersion: edge.codcompass.io/v1alpha1\nkind: AgentConfiguration\nmanifests:\n  files: [%s]\n"
                   "  paths: [/media/**]\n",
                   files);
    ck_assert_int_eq(hf_config_parse(hf_view_of(text), "agent.yaml", &node->config, NULL), 0);
    if (node->engine != NULL)
        tell(node);
    hf_config_free(old);
}

static void no_rights(struct node *node)
{
    set_config(node, "/srv/**");
}

static void foreign_file(struct node *node)
{
    put(node, "/etc/app/a", "theirs");
}

static void no_room(struct node *node)
{
    hf_simfs_delete(node->fs, "/etc/app");
    hf_simfs_mount(node->fs, "/etc/app");
    hf_simfs_set_limit(node->fs, "/etc/app", 100);
}

static void read_only(struct node *node)
{
    hf_simfs_delete(node->fs, "/etc/app");
    hf_simfs_mount(node->fs, "/etc/app");
    hf_simfs_set_read_only(node->fs, "/etc/app", true);
}

static void open_folder(struct node *node)
{
    hf_simfs_chmod(node->fs, "/etc/app", 0777);
}

static const struct {
    const char *name;
    void (*make)(struct node *node);
    enum hf_manifest_phase phase;
    enum hf_manifest_reason reason;
} obstacles[] = {
    {"not allowed", no_rights, HF_MANIFEST_REFUSED, HF_MANIFEST_REASON_NOT_ALLOWED},
    {"foreign file", foreign_file, HF_MANIFEST_REFUSED, HF_MANIFEST_REASON_FOREIGN_FILE},
    {"no room", no_room, HF_MANIFEST_WAITING, HF_MANIFEST_REASON_NO_SPACE},
    {"read-only", read_only, HF_MANIFEST_WAITING, HF_MANIFEST_REASON_READ_ONLY_FILE_SYSTEM},
    {"open folder", open_folder, HF_MANIFEST_REFUSED, HF_MANIFEST_REASON_NOT_ALLOWED},
};

/* An obstacle is told once. After that, the node looks again and again without a write of its record, a status or an
 * Event; and it goes on when the obstacle has gone. */
START_TEST(obstacles_are_told_once)
{
    struct node *node = begin("{\"name\":\"app\",\"from\":{\"path\":\"/media/usb\"}," FILES "}", 20);
    unsigned refused = obstacles[_i].phase == HF_MANIFEST_REFUSED;
    struct stat before, after;

    publish(node, 1);
    obstacles[_i].make(node);
    boot(node);
    intervals(node, 4);
    expect(node, obstacles[_i].phase, obstacles[_i].reason, obstacles[_i].name);
    unsigned statuses = node->statuses;
    ck_assert(hf_simfs_stat(node->fs, STATE "/manifests/app/record", &before));
    hf_simfs_count_only(node->fs, HF_SIMFS_GROWS);
    uint64_t calls = hf_simfs_calls(node->fs);
    intervals(node, 30);
    ck_assert(hf_simfs_stat(node->fs, STATE "/manifests/app/record", &after));
    ck_assert_msg(before.st_ino == after.st_ino, "%s: the record was written again", obstacles[_i].name);
    if (refused)
        ck_assert_msg(hf_simfs_calls(node->fs) == calls, "%s: %d writes", obstacles[_i].name,
                      (int)(hf_simfs_calls(node->fs) - calls));
    ck_assert_msg(node->statuses == statuses, "%s: %u statuses: %s", obstacles[_i].name, node->statuses - statuses,
                  node->status);
    ck_assert_uint_eq(node->notices[HF_MANIFEST_NOTICE_REFUSED], refused);
    if (_i == 0)
        set_config(node, "/etc/app/**");
    hf_simfs_set_read_only(node->fs, "/etc/app", false);
    hf_simfs_set_limit(node->fs, "/etc/app", 0);
    hf_simfs_chmod(node->fs, "/etc/app", 0755);
    hf_simfs_delete(node->fs, "/etc/app/a");
    intervals(node, 6);
    expect(node, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_APPLIED, obstacles[_i].name);
    ck_assert(has_number(node, 1));
    end(node);
}
END_TEST

/* ---- labels ------------------------------------------------------------------------------------------------------ */

/* Only a label that the content uses makes a new set, with a restart and a trial. */
START_TEST(labels_that_matter)
{
    struct node *node =
        begin("{\"name\":\"app\",\"from\":{\"path\":\"/media/usb\"},\"substitute\":{\"A\":\"1\"}," FILES UNIT "}", 30);
    json_t *labels = json_pack("{s:s, s:s}", "x/zone", "north", "other", "1");

    node->desired.labels = labels;
    put(node, "/media/usb/a", "${A} ${HOLDFAST_LABEL_ZONE} ${HOLDFAST_LABEL_ROLE:=none}");
    boot(node);
    intervals(node, 3);
    ck_assert(has(node, "/etc/app/a", "1 north none"));
    ck_assert_uint_eq(node->restarts, 1);
    unsigned statuses = node->statuses;
    json_object_set_new(labels, "other", json_string("2"));
    json_object_set_new(labels, "another", json_string("3"));
    intervals(node, 3);
    ck_assert_uint_eq(node->restarts, 1);
    ck_assert_uint_eq(node->statuses, statuses);
    json_object_set_new(labels, "x/zone", json_string("south"));
    json_object_set_new(labels, "role", json_string("till"));
    intervals(node, 3);
    ck_assert(has(node, "/etc/app/a", "1 south till"));
    ck_assert_uint_eq(node->restarts, 2);
    shut_down(node);
    json_object_del(labels, "other"); /* a later process knows the same */
    boot(node);
    intervals(node, 3);
    ck_assert_uint_eq(node->restarts, 2);
    json_object_del(labels, "role");
    intervals(node, 3);
    ck_assert(has(node, "/etc/app/a", "1 south none"));
    unsigned paced = 0;
    for (unsigned i = 0; i < 100; i++) { /* a label that never rests is paced, too */
        char text[20];
        (void)snprintf(text, sizeof(text), "%u", i);
        json_object_set_new(labels, "role", json_string(text));
        intervals(node, 1);
        paced += strstr(node->status, "ContentPaced") != NULL;
    }
    ck_assert_uint_le(node->restarts, 3 + 5 + 7);
    ck_assert_uint_ge(paced, 50);
    shut_down(node);
    json_decref(labels);
    end(node);
}
END_TEST

/* An entry whose content has the value of a label. Returns the labels, which the caller changes. */
static json_t *begin_with_label(struct node **ret_node, uint64_t seed)
{
    struct node *node =
        begin("{\"name\":\"app\",\"from\":{\"path\":\"/media/usb\"},\"substitute\":{\"A\":\"1\"}," FILES "}", seed);
    json_t *labels = json_pack("{s:s}", "x/zone", "0");

    node->desired.labels = labels;
    put(node, "/media/usb/a", "${HOLDFAST_LABEL_ZONE}");
    boot(node);
    intervals(node, 3);
    ck_assert(has(node, "/etc/app/a", "0"));
    *ret_node = node;
    return labels;
}

static void end_with_label(struct node *node, json_t *labels)
{
    shut_down(node);
    json_decref(labels);
    end(node);
}

static void set_label(json_t *labels, unsigned value)
{
    char text[20];

    (void)snprintf(text, sizeof(text), "%u", value);
    json_object_set_new(labels, "x/zone", json_string(text));
}

/* A label that changes too often, while a hold keeps the new sets out: the engine sleeps, and the status names the
 * hold. */
START_TEST(paced_labels_behind_a_gate)
{
    struct node *node;
    json_t *labels = begin_with_label(&node, 35);

    node->desired.held = true;
    for (unsigned i = 1; i <= 8; i++) {
        set_label(labels, i);
        tell(node);
        uint64_t end_ns = hf_mono_ns(hf_simproc_clock(node->proc)) + HF_NS_PER_S;
        unsigned steps = 0;
        while (hf_mono_ns(hf_simproc_clock(node->proc)) < end_ns && steps < 1000 && hf_simloop_step(node->loop))
            steps++;
        ck_assert_msg(steps < 1000, "label %u: %u steps in 1 s: %s", i, steps, node->status);
        (void)hf_simloop_run_for(node->loop, HF_NS_PER_S);
        expect(node, HF_MANIFEST_WAITING, HF_MANIFEST_REASON_HELD, "a label has changed");
    }
    node->desired.held = false;
    intervals(node, 30);
    ck_assert_msg(has(node, "/etc/app/a", "8"), "%s", node->status);
    end_with_label(node, labels);
}
END_TEST

/* A label is as before, so nothing waits for its turn any more. */
START_TEST(label_that_is_as_before_does_not_wait)
{
    struct node *node;
    json_t *labels = begin_with_label(&node, 39);
    unsigned value = 0;

    while (look(node).status.reason != HF_MANIFEST_REASON_CONTENT_PACED) {
        ck_assert_uint_lt(value, 20);
        set_label(labels, ++value);
        intervals(node, 1);
    }
    set_label(labels, value - 1);
    intervals(node, 1);
    expect(node, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_APPLIED, "the label is as before");
    end_with_label(node, labels);
}
END_TEST

/* ---- bounds over all entries ------------------------------------------------------------------------------------- */

#define ENTRY(name)                                                                                                    \
    "{\"name\":\"" name "\",\"from\":{\"path\":\"/media/" name "\"},\"to\":\"Files\",\"path\":\"/srv/" name "/\"}"

START_TEST(watches_of_all)
{
    struct node *node = begin(ENTRY("app") "," ENTRY("b"), 40);
    char path[80];

    for (unsigned i = 0; i < 700; i++) {
        (void)snprintf(path, sizeof(path), "/media/app/d%u/f", i);
        put(node, path, "x");
        (void)snprintf(path, sizeof(path), "/media/b/d%u/f", i);
        put(node, path, "x");
    }
    boot(node);
    intervals(node, 8);
    expect(node, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_APPLIED, "app");
    ck_assert_msg(node->watches >= 700 && node->watches <= 710, "%u watches", node->watches);
    put(node, "/media/app/d1/f", "y"); /* its watches are made again, and have room */
    put(node, "/media/b/d1/f", "y");
    intervals(node, 8);
    ck_assert(has(node, "/srv/b/d1/f", "y"));
    ck_assert_msg(node->watches >= 700 && node->watches <= 710, "%u watches", node->watches);
    end(node);
}
END_TEST

/* The sixth entry of 12 MiB does not fit, until another one has gone. */
START_TEST(bytes_of_all)
{
    struct node *node = begin(ENTRY("a") "," ENTRY("b") "," ENTRY("c") "," ENTRY("d") "," ENTRY("e"), 41);
    char *bytes = calloc(1, 4 << 20), path[80];

    for (const char *name = "abcde"; *name != '\0'; name++)
        for (unsigned i = 0; i < 3; i++) {
            (void)snprintf(path, sizeof(path), "/media/%c/f%u", *name, i);
            hf_simfs_put(node->fs, path, bytes, 4 << 20, 0644);
        }
    for (unsigned i = 0; i < 3; i++) {
        (void)snprintf(path, sizeof(path), "/media/app/f%u", i);
        hf_simfs_put(node->fs, path, bytes, 4 << 20, 0644);
    }
    boot(node);
    intervals(node, 6);
    set_policy(node, ENTRY("a") "," ENTRY("b") "," ENTRY("c") "," ENTRY("d") "," ENTRY("e") "," ENTRY("app"));
    intervals(node, 6);
    expect(node, HF_MANIFEST_FETCHING, HF_MANIFEST_REASON_SOURCE_TOO_LARGE, "six");
    ck_assert_ptr_nonnull(strstr(look(node).message, "64 MiB"));
    ck_assert(has(node, "/srv/app/f0", NULL));
    set_policy(node, ENTRY("a") "," ENTRY("b") "," ENTRY("c") "," ENTRY("d") "," ENTRY("app"));
    intervals(node, 40);
    expect(node, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_APPLIED, "five");
    free(bytes);
    end(node);
}
END_TEST

/* ---- entries that wait to be removed ----------------------------------------------------------------------------- */

/* The policy has the entries `first` to `end` - 1, and the text `more`. Their removal, of two files each, waits. */
static void set_many(struct node *node, unsigned first, unsigned past, const char *more)
{
    static char text[24 << 10];
    size_t n = (size_t)snprintf(text, sizeof(text), "%s", more);

    for (unsigned i = first; i < past; i++)
        n += (size_t)snprintf(text + n, sizeof(text) - n,
                              "%s{\"name\":\"old%u\",\"from\":{\"path\":\"/media/old\"},\"prune\":true,"
                              "\"to\":\"Files\",\"path\":\"/srv/old%u/\"}",
                              n > 0 ? "," : "", i, i);
    ck_assert_uint_lt(n, sizeof(text));
    set_policy(node, text);
    tell(node);
    (void)hf_simloop_run_for(node->loop, 10 * HF_NS_PER_S);
}

struct tally {
    unsigned applied, waiting; /* entries in the phase Applied: without PruneLimit; with it, for their removal waits */
    char first[64];
};

static void count(void *arg, const struct hf_manifest_status *status)
{
    struct tally *tally = arg;
    bool waits = status->reason == HF_MANIFEST_REASON_PRUNE_LIMIT && status->phase == HF_MANIFEST_APPLIED;

    if (tally->first[0] == '\0')
        (void)snprintf(tally->first, sizeof(tally->first), "%s", status->name);
    tally->waiting += waits;
    tally->applied += !waits && status->phase == HF_MANIFEST_APPLIED;
}

static struct tally tally_of(struct node *node)
{
    struct tally tally = {.applied = 0};

    hf_manifest_engine_each(node->engine, count, &tally);
    return tally;
}

static void restart_agent(struct node *node)
{
    shut_down(node);
    boot(node);
    (void)hf_simloop_run_for(node->loop, 10 * HF_NS_PER_S);
    intervals(node, 2);
}

static struct node *begin_many(unsigned n, uint64_t seed)
{
    struct node *node = begin("", seed);

    put(node, "/media/old/a", "1");
    put(node, "/media/old/b", "2");
    put(node, "/media/app/f", "new");
    boot(node);
    for (unsigned i = 0; i < n; i += 64) {
        set_many(node, i, i + 64, "");
        ck_assert_uint_eq(tally_of(node).applied, 64);
    }
    return node;
}

/* Four policies with 64 names each were there and have gone: the next one is applied, also over a restart, and nothing
 * of the others is removed or forgotten. */
START_TEST(waiting_removals_take_no_room)
{
    struct node *node = begin_many(256, 42);

    set_many(node, 0, 0, ENTRY("app"));
    for (unsigned i = 0; i < 2; i++) {
        expect(node, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_APPLIED, "app");
        ck_assert(has(node, "/srv/app/f", "new") && has(node, "/srv/old0/a", "1") && has(node, "/srv/old255/b", "2"));
        ck_assert_uint_eq(tally_of(node).applied, 1);
        ck_assert_uint_eq(tally_of(node).waiting, 256);
        ck_assert_str_eq(tally_of(node).first, "app"); /* the status of the node has only 64 entries */
        restart_agent(node);
    }
    set_many(node, 7, 8, ENTRY("app")); /* one that waits comes back */
    ck_assert_uint_eq(tally_of(node).applied, 2);
    end(node);
}
END_TEST

/* When too many entries wait to be removed, the engine takes up no new name of the policy, and says so for each. It
 * keeps, repairs and updates the entries that the policy has. */
START_TEST(too_many_waiting_removals)
{
    struct node *node = begin_many(1024, 43);

    set_many(node, 1023, 1087, "");
    set_many(node, 1086, 1087, ENTRY("app"));
    for (unsigned i = 0; i < 2; i++) {
        expect(node, HF_MANIFEST_WAITING, HF_MANIFEST_REASON_PRUNE_LIMIT, "app");
        ck_assert_ptr_nonnull(strstr(look(node).message, "no room for a new name"));
        ck_assert(has(node, "/srv/app/f", NULL) && has(node, "/srv/old1086/a", "1") && has(node, "/srv/old0/a", "1"));
        ck_assert_uint_eq(tally_of(node).applied, 1);
        ck_assert_uint_eq(tally_of(node).waiting, 1086);
        restart_agent(node);
    }
    put(node, "/srv/old1086/a", "drifted");
    intervals(node, 1);
    ck_assert(has(node, "/srv/old1086/a", "1"));
    put(node, "/media/old/a", "3");
    intervals(node, 3);
    ck_assert(has(node, "/srv/old1086/a", "3") && has(node, "/srv/old1085/a", "1"));
    set_many(node, 1000, 1063, ENTRY("app")); /* 1,024 wait: no room */
    expect(node, HF_MANIFEST_WAITING, HF_MANIFEST_REASON_PRUNE_LIMIT, "app");
    end(node);
}
END_TEST

/* Contents of 60 MiB only wait to be removed: they take no room from a new one of 12 MiB. */
START_TEST(bytes_of_waiting_removals)
{
    struct node *node = begin("", 44);
    char *bytes = calloc(1, 4 << 20);

    for (unsigned i = 0; i < 3; i++) {
        const char *const files[] = {"/media/old/a", "/media/old/b", "/media/old/c"};
        hf_simfs_put(node->fs, files[i], bytes, 4 << 20, 0644);
    }
    for (unsigned i = 0; i < 3; i++) {
        const char *const files[] = {"/media/app/a", "/media/app/b", "/media/app/c"};
        hf_simfs_put(node->fs, files[i], bytes, 4 << 20, 0644);
    }
    boot(node);
    set_many(node, 0, 5, "");
    ck_assert_uint_eq(tally_of(node).applied, 5);
    set_many(node, 4, 5, ENTRY("app"));
    expect(node, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_APPLIED, "app");
    ck_assert_uint_eq(tally_of(node).waiting, 4);
    free(bytes);
    end(node);
}
END_TEST

/* ---- what a new content waits for -------------------------------------------------------------------------------- */

static const struct {
    const char *name;
    bool held, stale, depends;
    enum hf_link link;
    enum hf_manifest_phase phase;
    enum hf_manifest_reason reason;
} waits[] = {
    {"held", true, false, false, HF_LINK_OPEN, HF_MANIFEST_WAITING, HF_MANIFEST_REASON_HELD},
    {"stale", false, true, false, HF_LINK_OPEN, HF_MANIFEST_WAITING, HF_MANIFEST_REASON_STALE},
    {"held and stale", true, true, true, HF_LINK_OPEN, HF_MANIFEST_WAITING, HF_MANIFEST_REASON_HELD},
    {"dependency", false, false, true, HF_LINK_OPEN, HF_MANIFEST_WAITING, HF_MANIFEST_REASON_DEPENDENCY_NOT_APPLIED},
    {"stale and dependency", false, true, true, HF_LINK_OPEN, HF_MANIFEST_WAITING, HF_MANIFEST_REASON_STALE},
    {"window", false, false, false, HF_LINK_WINDOW_CLOSED, HF_MANIFEST_FETCHING, HF_MANIFEST_REASON_WINDOW_CLOSED},
    {"clock", false, false, false, HF_LINK_CLOCK_UNSURE, HF_MANIFEST_FETCHING, HF_MANIFEST_REASON_CLOCK_UNSURE},
    {"quota", false, false, false, HF_LINK_QUOTA_USED, HF_MANIFEST_FETCHING, HF_MANIFEST_REASON_LINK_QUOTA_USED},
};

/* Each thing that keeps a new content out has its reason, told once; what is in place is kept; and the content comes in
 * when it ends. A window, the clock and the quota keep out only what has to be downloaded. */
START_TEST(waits_have_reasons)
{
    bool from_url = waits[_i].link != HF_LINK_OPEN;
    char entry[500];

    (void)snprintf(entry, sizeof(entry),
                   "{\"name\":\"app\",\"from\":{%s},%s" FILES
                   "},{\"name\":\"other\",\"from\":{\"path\":\"/media/other\"},"
                   "\"to\":\"Files\",\"path\":\"/srv/other/\"}",
                   from_url ? "\"url\":\"https://files/x.tar.gz\",\"digest\":\"sha256:"
                              "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\""
                            : "\"path\":\"/media/usb\"",
                   waits[_i].depends ? "\"dependsOn\":[\"other\"]," : "");
    struct node *node = begin(entry, 50);
    if (!waits[_i].depends)
        put(node, "/media/other/f", "1");
    publish(node, 1);
    node->desired.held = waits[_i].held;
    node->desired.stale = waits[_i].stale;
    node->link = waits[_i].link;
    boot(node);
    intervals(node, 4);
    expect(node, waits[_i].phase, waits[_i].reason, waits[_i].name);
    ck_assert(has(node, "/etc/app/a", NULL));
    unsigned statuses = node->statuses;
    intervals(node, 10);
    ck_assert_msg(node->statuses == statuses, "%s: %u statuses", waits[_i].name, node->statuses - statuses);
    node->desired.held = node->desired.stale = false;
    node->link = HF_LINK_OPEN;
    put(node, "/media/other/f", "1");
    intervals(node, 8);
    if (from_url) {
        expect(node, HF_MANIFEST_FETCHING, HF_MANIFEST_REASON_SOURCE_UNREACHABLE, "it may ask, and nobody answers");
    } else {
        expect(node, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_APPLIED, waits[_i].name);
        node->desired.held = waits[_i].held;
        node->desired.stale = waits[_i].stale;
        put(node, "/etc/app/a", "drift"); /* nothing that keeps new content out keeps a repair out */
        intervals(node, 3);
        ck_assert(has_number(node, 1));
    }
    end(node);
}
END_TEST

/* ---- static pods ------------------------------------------------------------------------------------------------- */

static void no_name_beside(void *arg, const char *path, const struct stat *st)
{
    unsigned *inside = arg;

    (void)st;
    ck_assert_msg(strstr(path, "/etc/.holdfast") == NULL, "%s", path);
    *inside += strstr(path, "/etc/pods/.holdfast-app.new") != NULL;
}

static void check_folders(void *arg)
{
    struct node *node = arg;

    hf_simfs_walk(node->fs, "/etc", no_name_beside, &node->watches);
}

/* New pods are staged under a name with a dot in the kubelet's folder itself, so no other folder need be writable. */
START_TEST(pods_are_staged_inside)
{
    struct node *node = begin("{\"name\":\"app\",\"from\":{\"path\":\"/media/usb\"},\"to\":\"StaticPods\"}", 60);

    node->watch.add = NULL;
    put(node, "/media/usb/web.yaml", POD("a"));
    hf_simloop_after_each(node->loop, check_folders, node);
    boot(node);
    intervals(node, 8);
    expect(node, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_HEALTH_UNKNOWN, "pods");
    ck_assert_uint_gt(node->watches, 0); /* here: how often the staging folder was seen */
    node->watches = 0;
    check_folders(node);
    ck_assert_uint_eq(node->watches, 0);
    hf_simloop_after_each(node->loop, NULL, NULL);
    end(node);
}
END_TEST

/* The agent sees all processes of the node, and the kubelet reads a folder of its own. It is away for a moment while a
 * new content comes: the pods stay in its folder, and do not move to one that no kubelet reads. */
START_TEST(pods_stay_while_the_kubelet_is_away)
{
    static const char config[] = "apiVersion: edge.codcompass.io/v1alpha1\nkind: AgentConfiguration\n"
                                 "manifests:\n  staticPods: true\n  paths: [/media/**]\n";
    static const char command[] = "/usr/bin/kubelet\0--pod-manifest-path=/opt/pods";
    struct node *node =
        begin("{\"name\":\"app\",\"from\":{\"path\":\"/media/usb\"},\"prune\":true,\"to\":\"StaticPods\"}", 62);

    hf_config_free(node->config);
    ck_assert_int_eq(hf_config_parse(HF_VIEW(config), "agent.yaml", &node->config, NULL), 0);
    hf_simfs_mkdir(node->fs, "/opt/pods", 0755);
    hf_simfs_mkdir(node->fs, "/etc/kubernetes/manifests", 0755);
    hf_simfs_put(node->fs, "/proc/77/cmdline", command, sizeof(command), 0444);
    hf_simfs_chown(node->fs, "/proc/77", geteuid(), 0);
    hf_simfs_symlink(node->fs, "/proc/77/exe", "/usr/bin/kubelet");
    hf_simfs_symlink(node->fs, "/proc/77/ns/mnt", "mnt:[1]");
    hf_simfs_symlink(node->fs, "/proc/1/ns/mnt", "mnt:[1]");
    put(node, "/media/usb/web.yaml", POD("a:1"));
    boot(node);
    intervals(node, 6);
    ck_assert(!has(node, "/opt/pods/app_default_web.yaml", NULL));
    hf_simfs_move(node->fs, "/proc/77", "/proc/away");
    put(node, "/media/usb/web.yaml", POD("a:2"));
    intervals(node, 6);
    expect(node, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_HEALTH_UNKNOWN, "the kubelet is away");
    ck_assert(!has(node, "/opt/pods/app_default_web.yaml", NULL));
    ck_assert(has(node, "/etc/kubernetes/manifests/app_default_web.yaml", NULL));
    end(node);
}
END_TEST

/* Nobody can be asked whether the pods run, because nobody answers or because memory runs out. A health check that
 * passes does not vouch for them. */
START_TEST(nobody_vouches_for_pods)
{
    bool checks = _i / 2 == 1;
    struct node *node = begin(checks ? "{\"name\":\"app\",\"from\":{\"path\":\"/media/usb\"},\"to\":\"StaticPods\","
                                       "\"healthChecks\":[{\"tcp\":{\"port\":80}}]}"
                                     : "{\"name\":\"app\",\"from\":{\"path\":\"/media/usb\"},\"to\":\"StaticPods\"}",
                              61);

    put(node, "/media/usb/web.yaml", POD("a"));
    scarce.fs = node->fs;
    scarce.file = _i % 2 == 1 ? "/etc/pods/app_default_web.yaml" : NULL;
    boot(node);
    intervals(node, 4);
    ck_assert_ptr_null(scarce.file);
    expect(node, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_HEALTH_UNKNOWN, "pods");
    ck_assert_ptr_nonnull(strstr(look(node).message, _i % 2 == 1 ? "out of memory" : "health unknown"));
    end(node);
}
END_TEST

/* The record is lost while the files are in place, so nobody knows what was good. The next content fails: what the
 * service runs on stays, because the alternative is no file at all. Then a content that works comes. */
START_TEST(lost_record_removes_nothing)
{
    struct node *node =
        begin("{\"name\":\"app\",\"from\":{\"path\":\"/media/usb\"},\"prune\":true," FILES UNIT "}", 71);

    put(node, "/media/usb/a", "one");
    put(node, "/media/usb/b", "one");
    boot(node);
    intervals(node, 3);
    expect(node, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_APPLIED, "first");
    shut_down(node);
    if (_i == 0)
        put(node, STATE "/manifests/app/record", "damaged");
    else
        hf_simfs_delete(node->fs, STATE "/manifests/app/record");
    put(node, "/media/usb/a", "broken");
    boot(node);
    intervals(node, 3);
    shut_down(node);
    boot(node);
    intervals(node, 3);
    expect(node, HF_MANIFEST_ROLLED_BACK, HF_MANIFEST_REASON_RESTART_FAILED, "second");
    ck_assert(has(node, "/etc/app/a", "broken") && has(node, "/etc/app/b", "one"));
    put(node, "/media/usb/a", "two");
    intervals(node, 3);
    expect(node, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_APPLIED, "third");
    ck_assert(has(node, "/etc/app/a", "two"));
    end(node);
}
END_TEST

/* The inventory is lost in the middle of an attempt with a set that fails. Its new file is still the entry's own: the
 * rollback removes it, and so it is no foreign file to the next set. Returns false if no call was the n-th one. */
static bool lose_inventory_at(uint64_t n, unsigned *ret_probations)
{
    struct node *node =
        begin("{\"name\":\"app\",\"from\":{\"path\":\"/media/usb\"},\"prune\":true," FILES UNIT "}", 500 + n);

    put(node, "/media/usb/a", "one");
    boot(node);
    intervals(node, 3);
    expect(node, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_APPLIED, "first");
    put(node, "/media/usb/a", "broken");
    put(node, "/media/usb/b", "new");
    hf_simfs_count_only(node->fs, HF_SIMFS_WRITES);
    hf_simfs_stop_at(node->fs, n);
    intervals(node, 4);
    bool cut = hf_simfs_stopped(node->fs);
    if (cut) {
        hf_simproc_kill(node->proc);
        shut_down(node);
        hf_simfs_kill(node->fs);
        *ret_probations += strcmp(phase_on_disk(node), "\"Probation\"") == 0;
        put(node, STATE "/manifests/app/inventory", "damaged");
        boot(node);
        intervals(node, 4);
        expect(node, HF_MANIFEST_ROLLED_BACK, HF_MANIFEST_REASON_RESTART_FAILED, "second");
        ck_assert_msg(has(node, "/etc/app/a", "one") && has(node, "/etc/app/b", NULL), "kill at %u", (unsigned)n);
        put(node, "/media/usb/a", "two");
        put(node, "/media/usb/b", "newer");
        intervals(node, 4);
        expect(node, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_APPLIED, "third");
    }
    hf_simfs_stop_at(node->fs, 0);
    end(node);
    return cut;
}

START_TEST(lost_inventory_forgets_no_new_file)
{
    unsigned probations = 0;
    uint64_t n = 1;

    while (lose_inventory_at(n, &probations))
        n++;
    ck_assert_uint_gt(probations, 0);
}
END_TEST

static void answer_for_kubelet(void *kubelet, struct hf_simcall *call)
{
    _cleanup_(hf_buf_done) struct hf_buf body = HF_BUF_INIT(1 << 20);

    if (hf_simkubelet_list(kubelet, &body))
        hf_simcall_reply(call, 200, "application/json", hf_buf_str(&body));
    else
        hf_simcall_fail(call, -ECONNREFUSED);
}

static const char web_file[] = "/etc/pods/app_default_web.yaml";

/* Begins with a pod that is Applied after so many intervals. */
static struct node *begin_pods(const char *deadline, uint64_t seed, unsigned wait, struct hf_simkubelet **ret_kubelet)
{
    char entry[200];

    (void)snprintf(
        entry, sizeof(entry),
        "{\"name\":\"app\",\"from\":{\"path\":\"/media/usb\"},\"healthDeadline\":\"%s\",\"to\":\"StaticPods\"}",
        deadline);
    struct node *node = begin(entry, seed);
    *ret_kubelet = hf_simkubelet_new(node->loop, node->fs, "/etc/pods", "n1");
    hf_simnet_serve(node->net, "http://127.0.0.1:10255", answer_for_kubelet, *ret_kubelet);
    put(node, "/media/usb/web.yaml", POD("a"));
    boot(node);
    intervals(node, wait);
    expect(node, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_APPLIED, "first");
    return node;
}

static void step_until_web_is(struct node *node, const char *text)
{
    for (unsigned i = 0; i < 100000 && !has(node, web_file, text); i++)
        ck_assert(hf_simloop_step(node->loop));
}

/* Pods of the old file vouch for no new one, however short a time they have run, and whatever the kubelet's clock shows:
 * the same as the agent's, 1970, ten years from now. */
START_TEST(pods_of_the_old_file_do_not_count)
{
    static const int64_t offsets[] = {0, -(int64_t)HF_SIM_UNIX_START, 315360000 * (int64_t)HF_NS_PER_S};
    struct node *node = begin(
        "{\"name\":\"app\",\"from\":{\"path\":\"/media/usb\"},\"healthDeadline\":\"20s\",\"to\":\"StaticPods\"}", 70);
    struct hf_simkubelet *kubelet = hf_simkubelet_new(node->loop, node->fs, "/etc/pods", "n1");

    hf_simkubelet_set_clock(kubelet, offsets[_i]);
    hf_simnet_serve(node->net, "http://127.0.0.1:10255", answer_for_kubelet, kubelet);
    put(node, "/media/usb/web.yaml", POD("a"));
    boot(node);
    intervals(node, 2);
    expect(node, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_APPLIED, "first");
    put(node, "/media/usb/web.yaml", POD("b-crash"));
    intervals(node, 2);
    expect(node, HF_MANIFEST_ROLLED_BACK, HF_MANIFEST_REASON_HEALTH_FAILED, "second");
    ck_assert(has(node, "/etc/pods/app_default_web.yaml", POD("a")));
    put(node, "/media/usb/web.yaml", POD("c"));
    intervals(node, 2);
    expect(node, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_APPLIED, "third");
    ck_assert_str_eq(hf_simkubelet_running(kubelet, "default", "web"), "c");
    end(node);
    hf_simkubelet_free(kubelet);
}
END_TEST

static void count_pod_file(void *arg, const char *path, const struct stat *st)
{
    (void)path;
    *(unsigned *)arg += S_ISREG(st->st_mode) ? 1 : 0;
}

/* The source gets a second document, then moves to another file: a pod that has not changed keeps its file and its
 * containers, and the kubelet reads no old one. Row 0: without `prune`. Row 1: with it. */
START_TEST(pods_move_in_the_source)
{
    static const char second[] = "---\napiVersion: v1\nkind: Pod\nmetadata: {name: db}\n"
                                 "spec: {containers: [{name: c, image: d}]}\n";
    struct node *node = begin(_i == 0 ? "{\"name\":\"app\",\"from\":{\"path\":\"/media/usb\"},\"to\":\"StaticPods\"}"
                                      : "{\"name\":\"app\",\"from\":{\"path\":\"/media/usb\"},\"to\":\"StaticPods\","
                                        "\"prune\":true}",
                              73);
    struct hf_simkubelet *kubelet = hf_simkubelet_new(node->loop, node->fs, "/etc/pods", "n1");
    struct stat before, after;
    char text[600];
    unsigned files = 0;

    hf_simnet_serve(node->net, "http://127.0.0.1:10255", answer_for_kubelet, kubelet);
    put(node, "/media/usb/web.yaml", POD("a"));
    boot(node);
    intervals(node, 2);
    expect(node, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_APPLIED, "one document");
    ck_assert(hf_simfs_stat(node->fs, "/etc/pods/app_default_web.yaml", &before));
    (void)snprintf(text, sizeof(text), "%s%s", POD("a"), second);
    put(node, "/media/usb/web.yaml", text);
    intervals(node, 3);
    expect(node, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_APPLIED, "two documents");
    ck_assert(hf_simfs_stat(node->fs, "/etc/pods/app_default_web.yaml", &after) && after.st_ino == before.st_ino);
    hf_simfs_delete(node->fs, "/media/usb/web.yaml");
    (void)snprintf(text, sizeof(text), "%s%s", POD("b"), second);
    put(node, "/media/usb/moved.yaml", text);
    intervals(node, 3);
    expect(node, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_APPLIED, "moved");
    ck_assert_str_eq(hf_simkubelet_running(kubelet, "default", "web"), "b");
    ck_assert_str_eq(hf_simkubelet_running(kubelet, "default", "db"), "d");
    hf_simfs_walk(node->fs, "/etc/pods", count_pod_file, &files);
    ck_assert_uint_eq(files, 2);
    end(node);
    hf_simkubelet_free(kubelet);
}
END_TEST

#define POD_WITH_UID(image)                                                                                            \
    "apiVersion: v1\nkind: Pod\nmetadata: {name: web, uid: 4d7b}\n"                                                    \
    "spec: {containers: [{name: c, image: " image "}]}\n"

/* A file with metadata.uid changes, and the kubelet gives the pod the same hash as before: how the pod runs decides. */
START_TEST(pod_that_keeps_its_hash_is_judged)
{
    struct node *node = begin(
        "{\"name\":\"app\",\"from\":{\"path\":\"/media/usb\"},\"healthDeadline\":\"60s\",\"to\":\"StaticPods\"}", 71);
    struct hf_simkubelet *kubelet = hf_simkubelet_new(node->loop, node->fs, "/etc/pods", "n1");

    hf_simnet_serve(node->net, "http://127.0.0.1:10255", answer_for_kubelet, kubelet);
    put(node, "/media/usb/web.yaml", POD_WITH_UID("a"));
    boot(node);
    intervals(node, 7);
    expect(node, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_APPLIED, "first");
    put(node, "/media/usb/web.yaml", POD_WITH_UID("b"));
    intervals(node, 1);
    expect(node, HF_MANIFEST_PROBATION, HF_MANIFEST_REASON_NONE, "second, early");
    intervals(node, 8);
    expect(node, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_APPLIED, "second");
    ck_assert_str_eq(hf_simkubelet_running(kubelet, "default", "web"), "b");
    put(node, "/media/usb/web.yaml", POD_WITH_UID("c-crash"));
    intervals(node, 9);
    expect(node, HF_MANIFEST_ROLLED_BACK, HF_MANIFEST_REASON_HEALTH_FAILED, "third");
    ck_assert(has(node, "/etc/pods/app_default_web.yaml", POD_WITH_UID("b")));
    end(node);
    hf_simkubelet_free(kubelet);
}
END_TEST

/* The deadline passes before the kubelet must have read the file: the file stays, and nobody vouches for the old pod. */
START_TEST(pod_that_keeps_its_hash_is_unknown)
{
    struct node *node = begin(
        "{\"name\":\"app\",\"from\":{\"path\":\"/media/usb\"},\"healthDeadline\":\"15s\",\"to\":\"StaticPods\"}", 72);
    struct hf_simkubelet *kubelet = hf_simkubelet_new(node->loop, node->fs, "/etc/pods", "n1");

    hf_simnet_serve(node->net, "http://127.0.0.1:10255", answer_for_kubelet, kubelet);
    put(node, "/media/usb/web.yaml", POD_WITH_UID("a"));
    boot(node);
    intervals(node, 3);
    expect(node, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_APPLIED, "first");
    put(node, "/media/usb/web.yaml", POD_WITH_UID("b"));
    for (int i = 0; i < 30 && look(node).status.reason != HF_MANIFEST_REASON_HEALTH_UNKNOWN; i++) {
        if (i % 10 == 0)
            hf_manifest_engine_check(node->engine);
        (void)hf_simloop_run_for(node->loop, HF_NS_PER_S);
    }
    expect(node, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_HEALTH_UNKNOWN, "second");
    ck_assert_msg(strstr(look(node).message, "health unknown: Pod default/web: same hash") != NULL, "%s",
                  look(node).message);
    ck_assert(has(node, "/etc/pods/app_default_web.yaml", POD_WITH_UID("b")));
    intervals(node, 2);
    expect(node, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_APPLIED, "asked again");
    end(node);
    hf_simkubelet_free(kubelet);
}
END_TEST

/* A set waits because it would remove too much. Wherever a kill ends an attempt with it: nothing of that set is in
 * place, so what a local user does to the good set is still repaired. Returns false if no call was the n-th one. */
static bool kill_at(uint64_t n)
{
    static const char *const names[] = {"/media/usb/a", "/media/usb/b", "/media/usb/c", "/media/usb/d"};
    struct node *node =
        begin("{\"name\":\"app\",\"from\":{\"path\":\"/media/usb\"},\"prune\":true," FILES "}", 200 + n);

    for (size_t i = 0; i < HF_LEN(names); i++)
        put(node, names[i], "one");
    boot(node);
    intervals(node, 3);
    expect(node, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_APPLIED, "first");
    for (size_t i = 1; i < HF_LEN(names); i++)
        hf_simfs_delete(node->fs, names[i]);
    hf_simfs_count_only(node->fs, HF_SIMFS_WRITES);
    hf_simfs_stop_at(node->fs, n);
    intervals(node, 4);
    bool killed = hf_simfs_stopped(node->fs);
    if (killed) {
        hf_simproc_kill(node->proc);
        shut_down(node);
        hf_simfs_kill(node->fs);
        boot(node);
    }
    hf_simfs_stop_at(node->fs, 0);
    intervals(node, 4);
    expect(node, HF_MANIFEST_WAITING, HF_MANIFEST_REASON_PRUNE_LIMIT, "kill");
    hf_simfs_delete(node->fs, "/etc/app/b");
    put(node, "/etc/app/c", "changed");
    intervals(node, 3);
    ck_assert_msg(has(node, "/etc/app/b", "one") && has(node, "/etc/app/c", "one"), "kill at %u", (unsigned)n);
    end(node);
    return killed;
}

/* A swap is cut short, its content is lost, and what the source delivers next lacks most files: they stay. */
static bool shrink_after(uint64_t n)
{
    static const char *const names[] = {"/media/usb/a", "/media/usb/b", "/media/usb/c", "/media/usb/d"};
    struct node *node =
        begin("{\"name\":\"app\",\"from\":{\"path\":\"/media/usb\"},\"prune\":true," FILES "}", 300 + n);
    struct loss loss = {.node = node};

    for (size_t i = 0; i < HF_LEN(names); i++)
        put(node, names[i], "one");
    boot(node);
    intervals(node, 3);
    expect(node, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_APPLIED, "first");
    hf_simfs_walk(node->fs, STATE, find_good, &loss);
    for (size_t i = 0; i < HF_LEN(names); i++)
        put(node, names[i], "two");
    hf_simfs_count_only(node->fs, HF_SIMFS_WRITES);
    hf_simfs_stop_at(node->fs, n);
    intervals(node, 4);
    bool killed = hf_simfs_stopped(node->fs);
    if (killed) {
        hf_simproc_kill(node->proc);
        shut_down(node);
        hf_simfs_kill(node->fs);
        hf_simfs_walk(node->fs, STATE, damage, &loss);
        for (size_t i = 1; i < HF_LEN(names); i++)
            hf_simfs_delete(node->fs, names[i]);
        boot(node);
        intervals(node, 6);
        for (size_t i = 0; i < HF_LEN(names); i++) {
            char path[32];
            (void)snprintf(path, sizeof(path), "/etc/app/%s", strrchr(names[i], '/') + 1);
            ck_assert_msg(!has(node, path, NULL), "kill at %u: '%s' is gone", (unsigned)n, path);
            put(node, names[i], "three");
        }
        intervals(node, 6);
        expect(node, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_APPLIED, "the source is whole again");
        ck_assert_msg(has(node, "/etc/app/d", "three"), "kill at %u", (unsigned)n);
    }
    end(node);
    return killed;
}

/* The disk never reads the newest content again. */
static void wear_out(void *arg, const char *path, const struct stat *st)
{
    static char worn[256];
    const struct loss *loss = arg;

    if (!S_ISREG(st->st_mode) || strstr(path, "/b-") == NULL || strcmp(path, loss->good) == 0)
        return;
    (void)snprintf(worn, sizeof(worn), "%s", path);
    target.unreadable = worn;
}

/* A swap is cut short, and the disk never reads its content again. The source delivers the content once more, and the
 * swap ends; or the entry leaves the policy, and its files go. Returns false if no call was the n-th one. */
static bool unreadable_after(uint64_t n, bool leaves, unsigned *ret_applying)
{
    struct node *node =
        begin("{\"name\":\"app\",\"from\":{\"path\":\"/media/usb\"},\"prune\":true," FILES "}", 1000 + n);
    struct loss loss = {.node = node};

    publish(node, 1);
    boot(node);
    intervals(node, 3);
    expect(node, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_APPLIED, "first");
    hf_simfs_walk(node->fs, STATE, find_good, &loss);
    publish(node, 2);
    hf_simfs_count_only(node->fs, HF_SIMFS_WRITES);
    hf_simfs_stop_at(node->fs, n);
    intervals(node, 4);
    bool cut = hf_simfs_stopped(node->fs);
    if (cut && strcmp(phase_on_disk(node), "\"Applying\"") == 0) {
        ++*ret_applying;
        hf_simproc_kill(node->proc);
        shut_down(node);
        hf_simfs_kill(node->fs);
        hf_simfs_walk(node->fs, STATE, wear_out, &loss);
        if (leaves)
            set_policy(node, "");
        boot(node);
        intervals(node, 12);
        ck_assert_msg(has(node, "/etc/app/a", NULL) == leaves && (leaves || has_number(node, 2)), "cut at %u: %s",
                      (unsigned)n, node->status);
        target.unreadable = NULL;
    }
    hf_simfs_stop_at(node->fs, 0);
    end(node);
    return cut;
}

/* A cut swap comes to its end after the cut. A later set that is refused before its first change says nothing about
 * what is in place: drift of the good set is still repaired. Returns false if no call was the n-th one. */
static bool refuse_after(uint64_t n, unsigned *ret_applying)
{
    struct node *node = begin("{\"name\":\"app\",\"from\":{\"path\":\"/media/usb\"}," FILES "}", 400 + n);

    publish(node, 1);
    hf_simfs_count_only(node->fs, HF_SIMFS_WRITES);
    hf_simfs_stop_at(node->fs, n);
    boot(node);
    if (node->engine != NULL)
        intervals(node, 4);
    bool cut = hf_simfs_stopped(node->fs);
    if (cut) {
        power_cut(node, n);
        *ret_applying += strcmp(phase_on_disk(node), "\"Applying\"") == 0;
        boot(node);
        intervals(node, 6);
        expect(node, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_APPLIED, "after the cut");
        put(node, "/etc/app/b", "theirs");
        put(node, "/media/usb/b", "ours");
        intervals(node, 4);
        expect(node, HF_MANIFEST_REFUSED, HF_MANIFEST_REASON_FOREIGN_FILE, "the next set");
        put(node, "/etc/app/a", "drift");
        intervals(node, 4);
        ck_assert_msg(has_number(node, 1), "cut at %u: drift is not repaired", (unsigned)n);
    }
    hf_simfs_stop_at(node->fs, 0);
    end(node);
    return cut;
}

/* A swap is cut short, its content is lost, and what the source delivers next does not pass `validate`: it is judged
 * once, and no file of it gets in place. Returns false if no call was the n-th one. */
static bool invalid_after(uint64_t n, unsigned *ret_waiting)
{
    struct node *node = begin("{\"name\":\"app\",\"from\":{\"path\":\"/media/usb\"},"
                              "\"validate\":{\"command\":[\"/usr/bin/check\",\"{}\"]}," FILES "}",
                              500 + n);
    struct loss loss = {.node = node};

    put(node, "/media/usb/a", "one");
    put(node, "/media/usb/b", "one");
    boot(node);
    intervals(node, 3);
    expect(node, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_APPLIED, "first");
    hf_simfs_walk(node->fs, STATE, find_good, &loss);
    put(node, "/media/usb/a", "two");
    put(node, "/media/usb/b", "two");
    hf_simfs_count_only(node->fs, HF_SIMFS_WRITES);
    hf_simfs_stop_at(node->fs, n);
    intervals(node, 4);
    bool cut = hf_simfs_stopped(node->fs);
    if (cut) {
        power_cut(node, n);
        hf_simfs_walk(node->fs, STATE, damage, &loss);
        put(node, "/media/usb/a", "bad");
        put(node, "/media/usb/b", "bad");
        node->validations = 0;
        procs.failures = (unsigned)(n % 3); /* those that did not start say nothing about the content */
        boot(node);
        intervals(node, 6);
        bool is_waiting = look(node).status.phase == HF_MANIFEST_WAITING;
        *ret_waiting += is_waiting;
        expect(node, is_waiting ? HF_MANIFEST_WAITING : HF_MANIFEST_REFUSED, HF_MANIFEST_REASON_VALIDATE_FAILED, "bad");
        unsigned statuses = node->statuses;
        intervals(node, 30);
        ck_assert_msg(node->validations == 1, "cut at %u: %u validations", (unsigned)n, node->validations);
        ck_assert_msg(node->statuses == statuses, "cut at %u: %u statuses", (unsigned)n, node->statuses - statuses);
        ck_assert_msg(!has(node, "/etc/app/a", "bad") && !has(node, "/etc/app/b", "bad"), "cut at %u", (unsigned)n);
        node->desired.stale = true;
        intervals(node, 2);
        node->desired.stale = false;
        intervals(node, 2);
        expect(node, is_waiting ? HF_MANIFEST_WAITING : HF_MANIFEST_REFUSED, HF_MANIFEST_REASON_VALIDATE_FAILED,
               "contact was lost for a while");
        put(node, "/media/usb/a", "three");
        put(node, "/media/usb/b", "three");
        intervals(node, 6);
        expect(node, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_APPLIED, "the content is good again");
        ck_assert(has(node, "/etc/app/b", "three"));
    }
    hf_simfs_stop_at(node->fs, 0);
    end(node);
    return cut;
}

/* A crash ends an attempt, the disk cannot be read for a while after the start, and then contact is lost for longer than
 * the policy lets it (onExpiry: Hold). What the node has is one whole set, and drift of it is repaired. Returns false if
 * no call was the n-th one. */
static bool stale_after(uint64_t n, bool power, unsigned *ret_applying)
{
    struct node *node =
        begin("{\"name\":\"app\",\"from\":{\"path\":\"/media/usb\"},\"prune\":true," FILES "}", 600 + n);

    publish(node, 1);
    put(node, "/media/usb/b", "one");
    boot(node);
    intervals(node, 3);
    expect(node, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_APPLIED, "first");
    publish(node, 2);
    put(node, "/media/usb/b", "two");
    hf_simfs_count_only(node->fs, HF_SIMFS_WRITES);
    hf_simfs_stop_at(node->fs, n);
    intervals(node, 4);
    bool cut = hf_simfs_stopped(node->fs);
    if (cut) {
        hf_simproc_kill(node->proc);
        shut_down(node);
        hf_simfs_kill(node->fs);
        if (power)
            hf_simfs_power_cut(node->fs, n);
        *ret_applying += strcmp(phase_on_disk(node), "\"Applying\"") == 0;
        target.broken = true;
        boot(node);
        intervals(node, 2);
        target.broken = false;
        node->desired.stale = true;
        publish(node, 3);
        intervals(node, 2);
        put(node, "/etc/app/a", "drift");
        hf_simfs_delete(node->fs, "/etc/app/b");
        intervals(node, 4);
        ck_assert_msg((has_number(node, 1) && has(node, "/etc/app/b", "one")) ||
                          (has_number(node, 2) && has(node, "/etc/app/b", "two")),
                      "cut at %u: %s: %s", (unsigned)n, hf_manifest_phase_name(look(node).status.phase),
                      look(node).message);
        node->desired.stale = false;
        intervals(node, 6);
        expect(node, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_APPLIED, "contact is back");
        ck_assert_msg(has_number(node, 3), "cut at %u", (unsigned)n);
    }
    hf_simfs_stop_at(node->fs, 0);
    end(node);
    return cut;
}

START_TEST(failure_after_a_cut_keeps_repairs)
{
    unsigned applying = 0;
    uint64_t n = 1;

    while (stale_after(n, _i == 1, &applying))
        n++;
    ck_assert_uint_gt(applying, 2);
}
END_TEST

/* The state's disk cannot take the inventory, so the attempt fails before its first change, and the target's disk is
 * full in the next attempt. A newer content takes the place of the set, but waits for the API server: the good set is in
 * place, and what a local user removes is put back. */
START_TEST(attempt_that_changed_nothing_keeps_repairs)
{
    struct node *node = begin("{\"name\":\"app\",\"from\":{\"path\":\"/media/usb\"}," FILES "}", 59);

    hf_simfs_delete(node->fs, "/etc/app");
    hf_simfs_mount(node->fs, "/etc/app");
    put(node, "/media/usb/a", "one");
    put(node, "/media/usb/b", "one");
    boot(node);
    intervals(node, 3);
    expect(node, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_APPLIED, "first");
    put(node, "/media/usb/a", "two");
    put(node, "/media/usb/b", "two");
    target.uncreatable = "inventory.new";
    intervals(node, 1);
    expect(node, HF_MANIFEST_APPLYING, HF_MANIFEST_REASON_WRITE_FAILED, "the inventory is not written");
    target.uncreatable = NULL;
    hf_simfs_set_limit(node->fs, "/etc/app", 100);
    intervals(node, 2);
    expect(node, HF_MANIFEST_WAITING, HF_MANIFEST_REASON_NO_SPACE, "the target is full");
    hf_simfs_set_limit(node->fs, "/etc/app", 0);
    node->desired.stale = true;
    put(node, "/media/usb/a", "three");
    put(node, "/media/usb/b", "three");
    intervals(node, 2);
    hf_simfs_delete(node->fs, "/etc/app/b");
    intervals(node, 3);
    ck_assert_msg(has(node, "/etc/app/a", "one") && has(node, "/etc/app/b", "one"), "%s", node->status);
    node->desired.stale = false;
    intervals(node, 6);
    expect(node, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_APPLIED, "contact is back");
    ck_assert(has(node, "/etc/app/b", "three"));
    end(node);
}
END_TEST

START_TEST(cut_swap_spares_no_validation)
{
    unsigned waiting = 0;
    uint64_t n = 1;

    while (invalid_after(n, &waiting))
        n++;
    ck_assert_uint_gt(waiting, 2);
}
END_TEST

/* The command of `validate` cannot be started for a while, because the kernel lacks the room for a process: the set is
 * not refused, and its turn comes without an interval. */
START_TEST(validation_that_did_not_start_is_repeated)
{
    struct node *node = begin("{\"name\":\"app\",\"from\":{\"path\":\"/media/usb\"},"
                              "\"validate\":{\"command\":[\"/usr/bin/check\",\"{}\"]}," FILES "}",
                              51);

    put(node, "/media/usb/a", "one");
    boot(node);
    intervals(node, 4);
    put(node, "/media/usb/a", "two");
    procs.failures = 3;
    intervals(node, 1);
    (void)hf_simloop_run_for(node->loop, 60 * HF_NS_PER_S);
    ck_assert_uint_eq(procs.failures, 0);
    expect(node, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_APPLIED, "the command runs");
    ck_assert(has(node, "/etc/app/a", "two"));
    ck_assert_uint_eq(node->notices[HF_MANIFEST_NOTICE_REFUSED], 0);
    end(node);
}
END_TEST

/* The program of `validate` is missing. Each attempt writes the files of the set, so there is one per interval. */
START_TEST(missing_validation_is_repeated_each_interval)
{
    struct node *node = begin("{\"name\":\"app\",\"from\":{\"path\":\"/media/usb\"},"
                              "\"validate\":{\"command\":[\"/usr/bin/check\",\"{}\"]}," FILES "}",
                              52);

    put(node, "/media/usb/a", "one");
    procs.failures = 100;
    procs.error = -ENOENT;
    boot(node);
    intervals(node, 10);
    expect(node, HF_MANIFEST_WAITING, HF_MANIFEST_REASON_VALIDATE_FAILED, "there is no program");
    ck_assert_uint_le(100 - procs.failures, 11);
    unsigned failures = procs.failures, statuses = node->statuses;
    (void)hf_simloop_run_for(node->loop, 3600 * HF_NS_PER_S);
    ck_assert_uint_eq(procs.failures, failures);
    ck_assert_uint_eq(node->statuses, statuses);
    procs.failures = 0;
    procs.error = 0;
    intervals(node, 2);
    expect(node, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_APPLIED, "the program is there");
    end(node);
}
END_TEST

START_TEST(unreadable_content_keeps_nothing_out)
{
    unsigned applying = 0;
    uint64_t n = 1;

    while (unreadable_after(n, _i == 1, &applying))
        n++;
    ck_assert_uint_gt(applying, 2);
}
END_TEST

START_TEST(refusal_after_a_cut_keeps_repairs)
{
    unsigned applying = 0;
    uint64_t n = 1;

    while (refuse_after(n, &applying))
        n++;
    ck_assert_uint_gt(applying, 2);
}
END_TEST

START_TEST(cut_swap_lifts_no_guard)
{
    uint64_t n = 1;

    while (shrink_after(n))
        n++;
    ck_assert_uint_gt(n, 20);
}
END_TEST

START_TEST(drift_is_repaired_while_a_set_waits)
{
    uint64_t n = 1;

    while (kill_at(n))
        n++;
    ck_assert_uint_gt(n, 10);
}
END_TEST

/* While a newer set waits or is refused, a person removes the whole target, so the repair has to make the folder again.
 * One call of the repair fails, or a kill ends it: the next repair finishes the work, and what the newer set waits for
 * stays the same. Returns false if no call was the n-th one. */
static bool cut_repair(uint64_t n, bool is_stale, bool kill)
{
    struct node *node = begin("{\"name\":\"app\",\"from\":{\"path\":\"/media/usb\"},"
                              "\"validate\":{\"command\":[\"/usr/bin/check\",\"{}\"]}," FILES "}",
                              900 + n);
    enum hf_manifest_phase phase = is_stale ? HF_MANIFEST_WAITING : HF_MANIFEST_REFUSED;
    enum hf_manifest_reason reason = is_stale ? HF_MANIFEST_REASON_STALE : HF_MANIFEST_REASON_VALIDATE_FAILED;

    put(node, "/media/usb/a", "one");
    put(node, "/media/usb/b", "one");
    boot(node);
    intervals(node, 3);
    expect(node, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_APPLIED, "first");
    node->desired.stale = is_stale;
    put(node, "/media/usb/a", is_stale ? "two" : "bad");
    intervals(node, 4);
    expect(node, phase, reason, "the newer set");
    hf_simfs_delete(node->fs, "/etc/app/a");
    hf_simfs_delete(node->fs, "/etc/app/b");
    hf_simfs_delete(node->fs, "/etc/app");
    hf_simfs_count_only(node->fs, HF_SIMFS_WRITES);
    if (kill)
        hf_simfs_stop_at(node->fs, n);
    else
        hf_simfs_fail_at(node->fs, n, EIO, 1);
    intervals(node, 2);
    bool hit = kill ? hf_simfs_stopped(node->fs) : hf_simfs_failed(node->fs) > 0;
    if (hit && kill) {
        hf_simproc_kill(node->proc);
        shut_down(node);
        hf_simfs_kill(node->fs);
        boot(node);
    }
    hf_simfs_stop_at(node->fs, 0);
    hf_simfs_fail_at(node->fs, 0, 0, 0);
    intervals(node, 6);
    ck_assert_msg(has(node, "/etc/app/a", "one") && has(node, "/etc/app/b", "one"), "call %u: %s", (unsigned)n,
                  node->status);
    expect(node, phase, reason, "the repair has ended");
    end(node);
    return hit;
}

START_TEST(cut_repair_is_finished)
{
    uint64_t n = 1;

    while (cut_repair(n, _i % 2 == 1, _i >= 2))
        n++;
    ck_assert_uint_gt(n, 5);
}
END_TEST

/* ---- the restart after a repair ---------------------------------------------------------------------------------- */

/* A service runs with the good content. Then somebody changes its file and restarts it. */
static struct node *begin_changed_service(uint64_t seed)
{
    struct node *node = begin_applied("{\"name\":\"app\",\"from\":{\"path\":\"/media/usb\"}," FILES UNIT "}", seed);

    ck_assert_str_eq(node->served, "one");
    put(node, "/etc/app/a", "drift");
    (void)restart(node, "app.service");
    ck_assert_str_eq(node->served, "drift");
    return node;
}

/* The agent is killed, or power is cut, at any call of a repair. The service has the good content in the end. */
START_TEST(restart_after_a_cut_repair)
{
    uint64_t n = 1;

    for (bool stopped = true; stopped; n++) {
        struct node *node = begin_changed_service(1300 + n);
        hf_simfs_stop_at(node->fs, n);
        intervals(node, 2);
        stopped = hf_simfs_stopped(node->fs);
        if (stopped) {
            hf_simproc_kill(node->proc);
            shut_down(node);
            hf_simfs_kill(node->fs);
            if (_i == 1)
                hf_simfs_power_cut(node->fs, n);
            boot(node);
        }
        intervals(node, 4);
        ck_assert_msg(has(node, "/etc/app/a", "one") && strcmp(node->served, "one") == 0, "call %u: %s", (unsigned)n,
                      node->served);
        end(node);
    }
    ck_assert_uint_gt(n, 20);
}
END_TEST

/* The agent is killed while systemd restarts the service. */
START_TEST(restart_that_was_cut_is_repeated)
{
    struct node *node = begin_changed_service(81);

    hangs = true;
    intervals(node, 1);
    hangs = false;
    ck_assert(has(node, "/etc/app/a", "one"));
    ck_assert_str_eq(node->served, "drift");
    hf_simproc_kill(node->proc);
    shut_down(node);
    hf_simfs_kill(node->fs);
    boot(node);
    intervals(node, 2);
    ck_assert_str_eq(node->served, "one");
    unsigned restarts = node->restarts;
    intervals(node, 10);
    ck_assert_uint_eq(node->restarts, restarts); /* once is enough */
    end(node);
}
END_TEST

/* The restart fails for a while, or for long: it is repeated, but not without a pause, and the status says so. */
START_TEST(restart_that_failed_is_repeated)
{
    struct node *node = begin_changed_service(82);
    unsigned restarts = node->restarts;

    fails = _i == 0 ? 3 : 1000;
    intervals(node, 1);
    (void)hf_simloop_run_for(node->loop, 3600 * HF_NS_PER_S); /* no interval of the policy passes */
    if (_i == 1) {
        expect(node, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_RESTART_FAILED, "all have failed");
        ck_assert_uint_le(node->restarts, restarts + 10 + 60);
        fails = 0;
        intervals(node, 10);
    }
    expect(node, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_DRIFT_REPAIRED, "restarted");
    ck_assert_str_eq(node->served, "one");
    end(node);
}
END_TEST

/* The state folder is full, so the record cannot be written: each drift is repaired all the same, with its restart. */
START_TEST(drift_is_repaired_without_the_record)
{
    struct node *node = begin_changed_service(84);

    target.uncreatable = "record";
    for (unsigned i = 0; i < 3; i++) {
        intervals(node, 2);
        ck_assert(has(node, "/etc/app/a", "one"));
        ck_assert_str_eq(node->served, "one");
        put(node, "/etc/app/a", "drift");
        (void)restart(node, "app.service");
        ck_assert_str_eq(node->served, "drift");
    }
    expect(node, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_WRITE_FAILED, "the status says so");
    target.uncreatable = NULL;
    intervals(node, 3);
    expect(node, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_DRIFT_REPAIRED, "written");
    ck_assert_str_eq(node->served, "one");
    end(node);
}
END_TEST

/* A newer content comes while a restart is due: its own restart is the only one. */
START_TEST(newer_content_needs_no_second_restart)
{
    struct node *node = begin_changed_service(83);

    fails = 1;
    put(node, "/media/usb/a", "two");
    intervals(node, 4);
    expect(node, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_APPLIED, "second");
    ck_assert_str_eq(node->served, "two");
    unsigned restarts = node->restarts;
    intervals(node, 10);
    ck_assert_uint_eq(node->restarts, restarts);
    end(node);
}
END_TEST

/* ---- a change on trial ------------------------------------------------------------------------------------------- */

/* A set that does not work comes on trial, and before that somebody changes its file into one that works. */
static struct node *begin_changed_trial(uint64_t seed, unsigned times)
{
    struct node *node = begin_applied(
        "{\"name\":\"app\",\"from\":{\"path\":\"/media/usb\"},\"healthDeadline\":\"1m\"," FILES UNIT "}", seed);

    tampers = times;
    put(node, "/media/usb/a", "broken");
    return node;
}

/* His content vouches for nothing. */
START_TEST(change_on_trial_vouches_for_nothing)
{
    struct node *node = begin_changed_trial(85, 1 + (unsigned)_i);

    intervals(node, 6);
    ck_assert_uint_eq(tampers, 0);
    expect(node, HF_MANIFEST_ROLLED_BACK, HF_MANIFEST_REASON_RESTART_FAILED, "put back, and it does not work");
    ck_assert(has(node, "/etc/app/a", "one"));
    ck_assert_str_eq(node->served, "one");
    end(node);
}
END_TEST

/* Somebody changes it each time. The trial ends all the same, and newer content comes in. */
START_TEST(change_on_trial_again_and_again)
{
    struct node *node = begin_changed_trial(86, 1000);

    intervals(node, 6);
    ck_assert_uint_le(node->restarts, 1 + 1 + 3 + 10);
    put(node, "/media/usb/a", "two");
    intervals(node, 4);
    expect(node, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_APPLIED, "newer");
    ck_assert(has(node, "/etc/app/a", "two"));
    tampers = 0;
    end(node);
}
END_TEST

/* Nobody can put it back for now, or at all: the set waits for its health deadline, and not longer. */
START_TEST(change_on_trial_that_stays)
{
    struct node *node = begin_changed_trial(87, 1);

    hf_manifest_engine_check(node->engine);
    for (unsigned i = 0; i < 10000 && tampers > 0; i++)
        ck_assert(hf_simloop_step(node->loop));
    ck_assert(has(node, "/etc/app/a", "theirs"));
    target.stuck = "a";
    target.stuck_error = -EIO;
    intervals(node, 2);
    expect(node, HF_MANIFEST_PROBATION, HF_MANIFEST_REASON_WRITE_FAILED, "it stays");
    if (_i == 1)
        intervals(node, 10);
    target.stuck = NULL;
    intervals(node, 6);
    expect(node, HF_MANIFEST_ROLLED_BACK, _i == 1 ? HF_MANIFEST_REASON_WRITE_FAILED : HF_MANIFEST_REASON_RESTART_FAILED,
           "the end");
    ck_assert(has(node, "/etc/app/a", "one"));
    end(node);
}
END_TEST

/* ---- troubles of the node ----------------------------------------------------------------------------------------- */

static void config_of(struct node *node, const char *text)
{
    hf_config_free(node->config);
    ck_assert_int_eq(hf_config_parse(hf_view_of(text), "agent.yaml", &node->config, NULL), 0);
    ck_assert_uint_eq(hf_config_n_faults(node->config), 0);
}

/* The node's owner takes the unit out of manifests.units and restarts the agent. A local user changes the file: the agent
 * restarts the unit all the same. _i == 1: a restart was due. */
START_TEST(unit_that_is_no_longer_permitted)
{
    struct node *node = begin_changed_service(901);

    if (_i == 0) {
        intervals(node, 3);
    } else {
        fails = 1000;
        intervals(node, 3);
    }
    hf_simproc_kill(node->proc);
    shut_down(node);
    hf_simfs_kill(node->fs);
    config_of(node, "apiVersion: edge.codcompass.io/v1alpha1\nkind: AgentConfiguration\n"
                    "manifests:\n  files: [/etc/app/**]\n  paths: [/media/**]\n");
    unsigned restarts = node->restarts;
    boot(node);
    intervals(node, 3);
    ck_assert_int_eq(look(node).status.phase, HF_MANIFEST_REFUSED);
    if (_i == 0)
        put(node, "/etc/app/a", "drift");
    intervals(node, 60);
    fails = 0;
    ck_assert_msg(node->restarts == restarts, "%u restarts of a unit that the node does not permit: %s",
                  node->restarts - restarts, node->status);
    end(node);
}
END_TEST

/* The disk of the state is full (or read-only). Drift on another disk. */
static void full_state(int i, bool unit)
{
    struct node *node = begin(unit ? "{\"name\":\"app\",\"from\":{\"path\":\"/media/usb\"}," FILES UNIT "}"
                                   : "{\"name\":\"app\",\"from\":{\"path\":\"/media/usb\"}," FILES "}",
                              902);

    hf_simfs_delete(node->fs, STATE);
    hf_simfs_mount(node->fs, STATE);
    put(node, "/media/usb/a", "one");
    boot(node);
    intervals(node, 4);
    expect(node, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_APPLIED, "first");
    if (i == 0)
        hf_simfs_set_limit(node->fs, STATE, 100);
    else
        hf_simfs_set_read_only(node->fs, STATE, true);
    for (unsigned k = 0; k < 2; k++) {
        put(node, "/etc/app/a", "drift");
        intervals(node, 30);
        ck_assert_msg(has(node, "/etc/app/a", "one"), "drift %u is not repaired: %s", k, node->status);
    }
    end(node);
}

START_TEST(drift_while_the_state_is_full_with_a_unit)
{
    full_state(_i, true);
}
END_TEST

START_TEST(drift_while_the_state_is_full)
{
    full_state(_i, false);
}
END_TEST

/* A file in place cannot be read (bad sector). */
START_TEST(bad_block_in_the_target)
{
    struct node *node = begin("{\"name\":\"app\",\"from\":{\"path\":\"/media/usb\"}," FILES "}", 903);

    put(node, "/media/usb/a", "one");
    put(node, "/media/usb/b", "one");
    boot(node);
    intervals(node, 4);
    expect(node, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_APPLIED, "first");
    shut_down(node);
    hf_simfs_set_unreadable(node->fs, "/etc/app/a", true);
    boot(node);
    if (_i == 0) {
        put(node, "/etc/app/b", "drift");
        intervals(node, 30);
        ck_assert_msg(has(node, "/etc/app/b", "one"), "another file is not repaired: %s", node->status);
    } else {
        put(node, "/media/usb/a", "two");
        put(node, "/media/usb/b", "two");
        intervals(node, 60);
        ck_assert_msg(has(node, "/etc/app/b", "two"), "a new content never comes: %s", node->status);
    }
    end(node);
}
END_TEST

/* The disk cannot read a file in place of the set that has failed; the good one is as long. */
START_TEST(rollback_over_a_bad_block)
{
    struct node *node = begin("{\"name\":\"app\",\"from\":{\"path\":\"/media/usb\"}," FILES UNIT "}", 913);

    put(node, "/media/usb/a", "one");
    put(node, "/media/usb/b", "one");
    boot(node);
    intervals(node, 4);
    expect(node, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_APPLIED, "first");
    put(node, "/media/usb/a", "two");
    put(node, "/media/usb/b", "two");
    hangs = true;
    intervals(node, 3);
    ck_assert_int_eq(look(node).status.phase, HF_MANIFEST_PROBATION);
    hf_simfs_set_unreadable(node->fs, "/etc/app/b", true);
    hangs = false;
    fails = 1;
    hf_simproc_kill(node->proc);
    shut_down(node);
    hf_simfs_kill(node->fs);
    boot(node); /* the restart fails */
    put(node, "/media/usb/a", "three");
    put(node, "/media/usb/b", "three");
    intervals(node, 200);
    ck_assert_msg(has(node, "/etc/app/b", "three"), "the rollback never ends: %s", node->status);
    end(node);
}
END_TEST

/* Somebody writes what the next set has, and that is not noticed before the set comes. It has to pass its checks. */
START_TEST(drift_that_is_the_next_set)
{
    struct node *node = begin("{\"name\":\"app\",\"from\":{\"path\":\"/media/usb\"}," FILES UNIT "}", 914);

    watched.path = "/media/usb";
    put(node, "/media/usb/a", "one");
    boot(node);
    intervals(node, 4);
    expect(node, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_APPLIED, "first");
    unsigned restarts = node->restarts;
    put(node, "/etc/app/a", "broken");
    put(node, "/media/usb/a", "broken");
    ck_assert(watched.fire != NULL);
    watched.fire(watched.arg);
    (void)hf_simloop_run_for(node->loop, 30 * HF_NS_PER_S);
    ck_assert_msg(look(node).status.phase != HF_MANIFEST_APPLIED || node->restarts > restarts ||
                      has(node, "/etc/app/a", "one"),
                  "%u restarts: %s", node->restarts - restarts, node->status);
    intervals(node, 6);
    ck_assert_msg(look(node).status.phase != HF_MANIFEST_APPLIED && node->restarts > restarts, "%u restarts: %s",
                  node->restarts - restarts, node->status);
    end(node);
}
END_TEST

/* A revision may be cut within a character. */
START_TEST(record_with_half_a_character)
{
    struct hf_manifest_record record;
    _cleanup_(hf_buf_done) struct hf_buf out = HF_BUF_INIT(HF_RECORD_MAX_BYTES);
    char branch[300] = "";

    memset(branch, 'x', 179);
    (void)snprintf(branch + 179, sizeof(branch) - 179, "\xc3\xbc@sha1:1234");
    hf_manifest_record_init(&record);
    (void)snprintf(record.known_revision, sizeof(record.known_revision), "%.180s+%.12s", branch, "abcdef012345");
    ck_assert_int_eq(hf_manifest_record_format(&record, &out), 0);
    hf_manifest_record_done(&record);
}
END_TEST

/* A cleanup after a rollback fails once. */
START_TEST(backups_that_a_cleanup_left)
{
    struct node *node = begin(
        "{\"name\":\"app\",\"from\":{\"path\":\"/media/usb\"},\"force\":true,\"prune\":true," FILES UNIT "}", 905);

    put(node, "/etc/app/z", "theirs 1");
    put(node, "/media/usb/a", "one");
    boot(node);
    intervals(node, 4);
    expect(node, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_APPLIED, "first");
    put(node, "/media/usb/a", "broken");
    put(node, "/media/usb/z", "ours");
    target.immutable = STATE "/manifests/app/before.list"; /* its removal fails */
    (void)hf_manifest_engine_check(node->engine);
    tell(node);
    (void)hf_simloop_run_for(node->loop, 60 * HF_NS_PER_S);
    expect(node, HF_MANIFEST_ROLLED_BACK, HF_MANIFEST_REASON_RESTART_FAILED, "second");
    ck_assert(has(node, "/etc/app/z", "theirs 1"));
    put(node, "/etc/app/z", "theirs 2"); /* their own change */
    /* the next content lacks z, and is broken, too */
    hf_simfs_delete(node->fs, "/media/usb/z");
    put(node, "/media/usb/c", "more");
    (void)hf_simloop_run_for(node->loop, 60 * HF_NS_PER_S);
    intervals(node, 6);
    target.immutable = NULL;
    intervals(node, 6);
    ck_assert_msg(has(node, "/etc/app/z", "theirs 2"), "somebody's file was put back to an old content: %s",
                  node->status);
    end(node);
}
END_TEST

/* The record cannot be written for a long time after the attempt was prepared. */
START_TEST(attempt_that_waited_for_its_record)
{
    struct node *node = begin("{\"name\":\"app\",\"from\":{\"path\":\"/media/usb\"}," FILES "}", 906);

    put(node, "/media/usb/a", "one");
    boot(node);
    intervals(node, 4);
    put(node, "/media/usb/b", "ours");
    struct stat st;
    hf_manifest_engine_check(node->engine);
    for (unsigned k = 0; k < 100000 && !hf_simfs_stat(node->fs, "/etc/.holdfast-app.new/b", &st); k++)
        (void)hf_simloop_step(node->loop);
    ck_assert(hf_simfs_stat(node->fs, "/etc/.holdfast-app.new/b", &st));
    target.uncreatable = "record.new";
    intervals(node, 6);
    ck_assert(has(node, "/etc/app/b", NULL));
    put(node, "/etc/app/b", "theirs"); /* an hour later */
    intervals(node, 6);
    target.uncreatable = NULL;
    intervals(node, 6);
    ck_assert_msg(has(node, "/etc/app/b", "theirs"), "a file of somebody else was overwritten: %s", node->status);
    end(node);
}
END_TEST

/* The text of a refusal is cut within a character: the entry is refused once, and not again and again. */
START_TEST(refusal_with_half_a_character)
{
    char manifests[1000], program[200] = "/opt/";
    size_t n = strlen(program);

    while (n < 119)
        program[n++] = 'x';
    (void)snprintf(program + n, sizeof(program) - n, "ü/check-the-configuration-of-the-application");
    (void)snprintf(
        manifests, sizeof(manifests),
        "{\"name\":\"app\",\"from\":{\"path\":\"/media/usb\"},\"validate\":{\"command\":[\"%s\",\"{}\"]}," FILES "}",
        program);
    struct node *node = begin(manifests, 907);
    put(node, "/media/usb/a", "one");
    boot(node);
    hf_simfs_count_only(node->fs, HF_SIMFS_WRITES);
    intervals(node, 3);
    uint64_t calls = hf_simfs_calls(node->fs);
    unsigned notices = node->notices[HF_MANIFEST_NOTICE_REFUSED];
    intervals(node, 3);
    ck_assert_msg(hf_simfs_calls(node->fs) - calls < 100, "%u writes in 30 s, %u notices",
                  (unsigned)(hf_simfs_calls(node->fs) - calls), node->notices[HF_MANIFEST_NOTICE_REFUSED] - notices);
    end(node);
}
END_TEST

/* The agent is killed while it stages, and the entry leaves the policy before the next start. */
static void find_stage(void *arg, const char *path, const struct stat *st)
{
    char *left = arg;

    (void)st;
    if (strstr(path, ".holdfast-app.new") != NULL)
        (void)snprintf(left, 200, "%s", path);
}

START_TEST(staging_of_an_entry_that_left)
{
    for (uint64_t n = 1;; n++) {
        struct node *node =
            begin("{\"name\":\"app\",\"from\":{\"path\":\"/media/usb\"},\"prune\":true," FILES "}", 1000 + n);
        char left[200] = "";

        put(node, "/media/usb/a", "one");
        hf_simfs_count_only(node->fs, HF_SIMFS_WRITES);
        hf_simfs_stop_at(node->fs, n);
        boot(node);
        if (node->engine != NULL)
            intervals(node, 4);
        bool cut = hf_simfs_stopped(node->fs);
        if (cut) {
            hf_simproc_kill(node->proc);
            shut_down(node);
            hf_simfs_kill(node->fs);
            set_policy(node, "");
            boot(node);
            intervals(node, 6);
            hf_simfs_walk(node->fs, "/etc", find_stage, left);
        }
        hf_simfs_stop_at(node->fs, 0);
        ck_assert_msg(left[0] == '\0', "cut at %u: '%s' is left for ever: %s", (unsigned)n, left, node->status);
        end(node);
        if (!cut)
            break;
    }
}
END_TEST

/* A service takes longer than the agent waits for; it is up in the end. */
START_TEST(restart_that_takes_long)
{
    struct node *node = begin_changed_service(910);
    unsigned restarts = node->restarts;

    hangs = true; /* each restart ends in a timeout of 90 s, although systemd goes on and starts the service */
    intervals(node, 1);
    (void)hf_simloop_run_for(node->loop, 24 * 3600 * HF_NS_PER_S);
    hangs = false;
    ck_assert_msg(node->restarts - restarts < 20, "%u restarts in a day: %s", node->restarts - restarts, node->status);
    end(node);
}
END_TEST

/* A restart is due when a newer set is rolled back: that restarts the unit, and once is enough. */
START_TEST(rollback_restarts_once)
{
    struct node *node = begin_changed_service(911);

    fails = 1000;
    put(node, "/media/usb/a", "broken");
    hf_manifest_engine_check(node->engine);
    for (unsigned i = 0; i < 100000 && !has(node, "/etc/app/a", "broken"); i++)
        ck_assert(hf_simloop_step(node->loop));
    fails = 0;
    for (unsigned i = 0; i < 100000 && look(node).status.phase != HF_MANIFEST_ROLLED_BACK; i++)
        ck_assert(hf_simloop_step(node->loop));
    expect(node, HF_MANIFEST_ROLLED_BACK, HF_MANIFEST_REASON_RESTART_FAILED, "broken");
    ck_assert_str_eq(node->served, "one");
    unsigned restarts = node->restarts;
    intervals(node, 10);
    ck_assert_uint_eq(node->restarts, restarts);
    end(node);
}
END_TEST

/* The entry has left the policy and waits for the annotation, and its unit does not restart. */
START_TEST(left_entry_writes_nothing)
{
    struct node *node =
        begin("{\"name\":\"app\",\"from\":{\"path\":\"/media/usb\"},\"prune\":true," FILES UNIT "}", 915);

    put(node, "/media/usb/a", "one");
    put(node, "/media/usb/b", "one");
    boot(node);
    intervals(node, 4);
    fails = 10000;
    put(node, "/etc/app/a", "drift");
    intervals(node, 3);
    set_policy(node, "");
    intervals(node, 30);
    unsigned restarts = node->restarts;
    hf_simfs_count_only(node->fs, HF_SIMFS_WRITES);
    uint64_t calls = hf_simfs_calls(node->fs);
    intervals(node, 360);
    ck_assert_uint_eq(hf_simfs_calls(node->fs), calls);
    ck_assert_uint_gt(node->restarts, restarts);
    ck_assert_uint_le(node->restarts, restarts + 61);
    fails = 0;
    end(node);
}
END_TEST

/* The state folder is full for an hour. */
START_TEST(full_state_is_asked_at_a_pace)
{
    struct node *node = begin("{\"name\":\"app\",\"from\":{\"path\":\"/media/usb\"}," FILES "}", 916);

    hf_simfs_delete(node->fs, STATE);
    hf_simfs_mount(node->fs, STATE);
    put(node, "/media/usb/a", "one");
    boot(node);
    intervals(node, 4);
    hf_simfs_set_limit(node->fs, STATE, 100);
    put(node, "/etc/app/a", "drift");
    intervals(node, 3);
    hf_simfs_count_only(node->fs, HF_SIMFS_WRITES);
    uint64_t calls = hf_simfs_calls(node->fs);
    (void)hf_simloop_run_for(node->loop, 3600 * HF_NS_PER_S);
    ck_assert_uint_gt(hf_simfs_calls(node->fs), calls);
    ck_assert_uint_lt(hf_simfs_calls(node->fs), calls + 600);
    end(node);
}
END_TEST

/* ---- retries without an interval ------------------------------------------------------------------------------------- */

static const uint64_t long_interval_ns = 3600 * HF_NS_PER_S;

/* The disk cannot write the new content once. */
START_TEST(content_that_was_not_written_comes_again)
{
    struct node *node = begin("{\"name\":\"app\",\"from\":{\"path\":\"/media/usb\"}," FILES "}", 36);

    put(node, "/media/usb/a", "one");
    boot(node);
    intervals(node, 4);
    put(node, "/media/usb/a", "two");
    hf_simfs_count_only(node->fs, HF_SIMFS_WRITES);
    hf_simfs_fail_at(node->fs, 1, EIO, 1);
    intervals(node, 1);
    ck_assert_uint_eq(hf_simfs_failed(node->fs), 1);
    (void)hf_simloop_run_for(node->loop, long_interval_ns);
    expect(node, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_APPLIED, "the disk writes again");
    ck_assert(has(node, "/etc/app/a", "two"));
    end(node);
}
END_TEST

/* The disk cannot write a new content for 20 minutes. The status says so all the time, and not that the content changes
 * too often. When the disk writes again, the content is in place soon. */
START_TEST(content_that_cannot_be_written_is_not_paced)
{
    struct node *node = begin("{\"name\":\"app\",\"from\":{\"path\":\"/media/usb\"}," FILES "}", 42);

    put(node, "/media/usb/a", "one");
    boot(node);
    intervals(node, 4);
    put(node, "/media/usb/a", "two");
    hf_simfs_count_only(node->fs, HF_SIMFS_WRITES);
    hf_simfs_fail_at(node->fs, 1, EIO, 0);
    for (unsigned i = 0; i < 120; i++) {
        intervals(node, 1);
        expect(node, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_WRITE_FAILED, "the disk does not write");
    }
    unsigned statuses = node->statuses;
    intervals(node, 60);
    ck_assert_uint_eq(node->statuses, statuses);
    hf_simfs_fail_at(node->fs, 0, 0, 0);
    (void)hf_simloop_run_for(node->loop, 30 * HF_NS_PER_S);
    expect(node, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_APPLIED, "the disk writes again");
    ck_assert(has(node, "/etc/app/a", "two"));
    end(node);
}
END_TEST

/* A set waits for the next interval, because the program of `validate` is missing. A watch tells of a change: of drift
 * that the disk cannot repair once, or of a new content that it cannot write. Neither repeats the validation. */
START_TEST(wait_for_the_interval_is_kept)
{
    struct node *node = begin("{\"name\":\"app\",\"from\":{\"path\":\"/media/usb\"},"
                              "\"validate\":{\"command\":[\"/usr/bin/check\",\"{}\"]}," FILES "}",
                              43);

    watched.path = _i == 0 ? "/etc/app" : "/media/usb";
    put(node, "/media/usb/a", "one");
    boot(node);
    intervals(node, 4);
    put(node, "/media/usb/a", "two");
    procs.failures = 100;
    procs.error = -ENOENT;
    intervals(node, 4);
    expect(node, HF_MANIFEST_WAITING, HF_MANIFEST_REASON_VALIDATE_FAILED, "there is no program");
    unsigned failures = procs.failures;
    put(node, _i == 0 ? "/etc/app/a" : "/media/usb/a", "three");
    hf_simfs_count_only(node->fs, HF_SIMFS_WRITES);
    if (_i == 0)
        hf_simfs_fail_at(node->fs, 1, EIO, 1);
    else
        target.unwritable = true;
    watched.fire(watched.arg);
    (void)hf_simloop_run_for(node->loop, long_interval_ns);
    ck_assert_uint_eq(procs.failures, failures);
    ck_assert(has(node, "/etc/app/a", "one"));
    if (_i == 0)
        ck_assert_uint_eq(hf_simfs_failed(node->fs), 1);
    else
        ck_assert_uint_gt(target.refused, 10);
    end(node);
}
END_TEST

/* The disk cannot write once while an entry that no policy has goes: its files, or what the agent keeps of it. */
START_TEST(removal_that_failed_is_repeated)
{
    for (uint64_t n = 1, hit = 1; hit == 1; n++) {
        struct node *node =
            begin("{\"name\":\"app\",\"from\":{\"path\":\"/media/usb\"},\"prune\":true," FILES "}", 37 + n);
        struct stat st;

        put(node, "/media/usb/a", "one");
        boot(node);
        intervals(node, 4);
        set_policy(node, "");
        tell(node);
        hf_simfs_count_only(node->fs, HF_SIMFS_WRITES);
        hf_simfs_fail_at(node->fs, n, EIO, 1);
        (void)hf_simloop_run_for(node->loop, long_interval_ns);
        hit = hf_simfs_failed(node->fs);
        ck_assert_msg(has(node, "/etc/app/a", NULL) && !hf_simfs_stat(node->fs, STATE "/manifests/app", &st),
                      "call %u: %s", (unsigned)n, node->status);
        end(node);
    }
}
END_TEST

/* A person has made the file immutable: its removal is tried once per interval, and writes nothing in between. */
START_TEST(removal_that_is_not_allowed_waits)
{
    struct node *node = begin("{\"name\":\"app\",\"from\":{\"path\":\"/media/usb\"},\"prune\":true," FILES "}", 39);
    struct stat st;

    put(node, "/media/usb/a", "one");
    boot(node);
    intervals(node, 4);
    target.immutable = "a";
    set_policy(node, "");
    intervals(node, 4);
    expect(node, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_NOT_ALLOWED, "the file is immutable");
    hf_simfs_count_only(node->fs, HF_SIMFS_WRITES);
    uint64_t calls = hf_simfs_calls(node->fs);
    (void)hf_simloop_run_for(node->loop, long_interval_ns);
    ck_assert_msg(hf_simfs_calls(node->fs) == calls, "%u calls that write",
                  (unsigned)(hf_simfs_calls(node->fs) - calls));
    target.immutable = NULL;
    intervals(node, 1);
    ck_assert(has(node, "/etc/app/a", NULL) && !hf_simfs_stat(node->fs, STATE "/manifests/app", &st));
    end(node);
}
END_TEST

/* A newer content is refused, then the entry leaves the policy: the status shows the digest that allows the removal of
 * what is in place. */
START_TEST(digest_of_the_status_allows_the_removal)
{
    struct node *node = begin("{\"name\":\"app\",\"from\":{\"path\":\"/media/usb\"},\"prune\":true,"
                              "\"validate\":{\"command\":[\"/usr/bin/check\",\"{}\"]}," FILES "}",
                              40);
    struct stat st;

    put(node, "/media/usb/a", "one");
    put(node, "/media/usb/b", "one");
    boot(node);
    intervals(node, 4);
    put(node, "/media/usb/a", "bad");
    intervals(node, 4);
    expect(node, HF_MANIFEST_REFUSED, HF_MANIFEST_REASON_VALIDATE_FAILED, "a newer content");
    set_policy(node, "");
    intervals(node, 4);
    expect(node, HF_MANIFEST_REFUSED, HF_MANIFEST_REASON_PRUNE_LIMIT, "the entry has left the policy");
    ck_assert(has(node, "/etc/app/a", "one") && has(node, "/etc/app/b", "one"));
    allow_prune(node, look(node).status.digest);
    intervals(node, 2);
    ck_assert_msg(has(node, "/etc/app/a", NULL) && !hf_simfs_stat(node->fs, STATE "/manifests/app", &st), "%s",
                  node->status);
    end(node);
}
END_TEST

/* The disk cannot read the target once, at the look that an interval asks for. The trouble goes from the status with the
 * next look, and what that look finds is repaired. */
START_TEST(look_that_failed_is_repeated)
{
    struct node *node = begin("{\"name\":\"app\",\"from\":{\"path\":\"/media/usb\"}," FILES "}", 38);

    node->watch.add = NULL;
    put(node, "/media/usb/a", "one");
    boot(node);
    intervals(node, 4);
    if (_i == 1)
        put(node, "/etc/app/a", "drift");
    target.broken = true;
    intervals(node, 1);
    expect(node, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_WRITE_FAILED, "the disk does not read");
    target.broken = false;
    (void)hf_simloop_run_for(node->loop, long_interval_ns);
    expect(node, HF_MANIFEST_APPLIED, _i == 1 ? HF_MANIFEST_REASON_DRIFT_REPAIRED : HF_MANIFEST_REASON_APPLIED,
           "the disk reads again");
    ck_assert(has(node, "/etc/app/a", "one"));
    end(node);
}
END_TEST

/* An entry leaves the policy, and its removal waits for the annotation. When the policy has the entry again, each folder
 * has its watch again, without an interval. */
START_TEST(entry_that_comes_back_is_watched)
{
    static const char app[] = "{\"name\":\"app\",\"from\":{\"path\":\"/media/usb\"},\"prune\":true," FILES "}";
    struct node *node = begin(app, 33);

    for (char c = 'a'; c < 'f'; c++) {
        char path[40];
        (void)snprintf(path, sizeof(path), "/media/usb/%c", c);
        put(node, path, "one");
    }
    boot(node);
    intervals(node, 4);
    unsigned watches = node->watches;
    set_policy(node, "");
    intervals(node, 4);
    expect(node, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_PRUNE_LIMIT, "the entry has left the policy");
    set_policy(node, app);
    tell(node);
    (void)hf_simloop_run_for(node->loop, 60 * HF_NS_PER_S);
    expect(node, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_APPLIED, "the entry is back");
    ck_assert_msg(node->watches == watches, "%u watches, then %u", watches, node->watches);
    end(node);
}
END_TEST

/* One file of an entry that has left the policy cannot be removed. Nothing puts back the other one, and the service is
 * not restarted. */
START_TEST(removal_that_has_begun_is_not_repaired)
{
    struct node *node =
        begin("{\"name\":\"app\",\"from\":{\"path\":\"/media/usb\"},\"prune\":true," FILES UNIT "}", 41);

    put(node, "/media/usb/a", "one");
    put(node, "/media/usb/b", "one");
    boot(node);
    intervals(node, 4);
    allow_prune(node, look(node).status.digest);
    target.immutable = "b";
    unsigned restarts = node->restarts;
    for (unsigned i = 0; i < 10; i++) {
        intervals(node, 1);
        expect(node, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_NOT_ALLOWED, "one file is immutable");
        ck_assert(has(node, "/etc/app/a", NULL) && has(node, "/etc/app/b", "one"));
    }
    ck_assert_uint_eq(node->restarts, restarts);
    target.immutable = NULL;
    intervals(node, 2);
    ck_assert(has(node, "/etc/app/b", NULL));
    end(node);
}
END_TEST

/* The swap of the first or second set is cut short, its content is lost, and the entry leaves the policy. The status
 * shows what is in place, and its digest. The files go with the annotation, but none that may be somebody else's.
 * Returns false if no call was the n-th one. */
static bool leave_after(uint64_t n, bool second, unsigned *ret_waiting)
{
    struct node *node = begin(
        "{\"name\":\"app\",\"from\":{\"path\":\"/media/usb\"},\"force\":true,\"prune\":true," FILES "}", 1200 + n);
    struct loss loss = {.node = node};
    struct stat st;

    put(node, "/etc/app/z", "theirs");
    put(node, "/media/usb/a", "one");
    put(node, "/media/usb/b", "one");
    if (second) {
        boot(node);
        intervals(node, 4);
        hf_simfs_walk(node->fs, STATE, find_good, &loss);
        put(node, "/media/usb/a", "two");
    }
    put(node, "/media/usb/z", "ours");
    hf_simfs_count_only(node->fs, HF_SIMFS_WRITES);
    hf_simfs_stop_at(node->fs, n);
    if (!second)
        boot(node);
    intervals(node, 4);
    bool cut = hf_simfs_stopped(node->fs);
    bool passed = strcmp(phase_on_disk(node), "\"Applied\"") == 0 && (!second || has(node, "/etc/app/z", "ours"));
    if (cut && !passed) {
        hf_simproc_kill(node->proc);
        shut_down(node);
        hf_simfs_kill(node->fs);
        hf_simfs_walk(node->fs, STATE, damage, &loss);
        set_policy(node, "");
        boot(node);
        intervals(node, 4);
        if (hf_simfs_stat(node->fs, STATE "/manifests/app", &st)) {
            ++*ret_waiting;
            ck_assert_int_eq(look(node).status.reason, HF_MANIFEST_REASON_PRUNE_LIMIT);
            ck_assert(second || look(node).status.phase == HF_MANIFEST_WAITING);
            allow_prune(node, look(node).status.digest);
            intervals(node, 2);
        }
        ck_assert_msg(has(node, "/etc/app/a", NULL) && has(node, "/etc/app/b", NULL), "cut at %u", (unsigned)n);
        ck_assert_msg(!has(node, "/etc/app/z", NULL), "cut at %u: the file of somebody else is gone", (unsigned)n);
        ck_assert(!hf_simfs_stat(node->fs, STATE "/manifests/app", &st));
    }
    hf_simfs_stop_at(node->fs, 0);
    end(node);
    return cut;
}

/* One write of the first attempt fails, perhaps after it has reached the disk. The next attempt finds the target full,
 * the agent starts again, and the entry leaves the policy: a file of somebody else that no attempt has replaced stays.
 * Returns false if no call was the n-th one. */
static bool fail_then_leave(uint64_t n, unsigned *ret_waiting)
{
    struct node *node = begin(
        "{\"name\":\"app\",\"from\":{\"path\":\"/media/usb\"},\"force\":true,\"prune\":true," FILES "}", 1600 + n);
    struct stat st;

    hf_simfs_delete(node->fs, "/etc/app");
    hf_simfs_mount(node->fs, "/etc/app");
    put(node, "/etc/app/z", "theirs");
    put(node, "/media/usb/a", "one");
    put(node, "/media/usb/z", "ours");
    hf_simfs_count_only(node->fs, HF_SIMFS_WRITES);
    hf_simfs_fail_at(node->fs, n, EIO, 1);
    boot(node);
    if (node->engine == NULL) {
        hf_simfs_fail_at(node->fs, 0, 0, 0);
        end(node);
        return true;
    }
    while (hf_simfs_failed(node->fs) == 0 && !has(node, "/etc/app/z", "ours") && hf_simloop_step(node->loop))
        ;
    bool failed = hf_simfs_failed(node->fs) > 0;
    if (failed && has(node, "/etc/app/z", "theirs")) {
        hf_simfs_set_limit(node->fs, "/etc/app", 100);
        intervals(node, 2);
        if (has(node, "/etc/app/z", "theirs") && look(node).status.phase == HF_MANIFEST_WAITING) {
            ++*ret_waiting;
            shut_down(node);
            set_policy(node, "");
            boot(node);
            intervals(node, 4);
            if (hf_simfs_stat(node->fs, STATE "/manifests/app", &st)) {
                allow_prune(node, look(node).status.digest);
                intervals(node, 2);
            }
            ck_assert_msg(has(node, "/etc/app/z", "theirs"), "write %u: the file of somebody else is gone",
                          (unsigned)n);
        }
    }
    end(node);
    return failed;
}

START_TEST(file_that_no_attempt_replaced_stays)
{
    unsigned waiting = 0;
    uint64_t n = 1;

    while (fail_then_leave(n, &waiting))
        n++;
    ck_assert_uint_gt(n, 20);
    ck_assert_uint_gt(waiting, 5);
}
END_TEST

START_TEST(cut_set_goes_with_the_entry)
{
    unsigned waiting = 0;
    uint64_t n = 1;

    while (leave_after(n, _i == 1, &waiting))
        n++;
    ck_assert_uint_gt(waiting, 2);
}
END_TEST

/* One file cannot be put in place, or removed, whatever the agent does. */
static const struct obstinate {
    const char *name, *fields;
    const char *mount;     /* a mount point; NULL for none */
    const char *stuck;     /* see `target` */
    const char *immutable; /* see `target` */
    const char *message;   /* a part of it */
    bool first;            /* nothing was in place before */
} obstinates[] = {
    {"a mount below the target", "", "/etc/app/data", NULL, NULL, "/etc/app/data/x", false},
    {"a file that is a mount point", "", NULL, "b", NULL, "/etc/app/b", false},
    {"an immutable file that would go", "", NULL, NULL, "c", "/etc/app/c", false},
    {"the first set", "\"force\":true,", NULL, "b", NULL, "/etc/app/b", true},
};

static void change_source(struct node *node)
{
    put(node, "/media/usb/a", "two");
    put(node, "/media/usb/b", "two");
    put(node, "/media/usb/data/x", "two");
    hf_simfs_delete(node->fs, "/media/usb/c");
}

static struct node *begin_obstinate(const struct obstinate *o, uint64_t seed)
{
    static const char names[] = "abcdef";
    char text[400];

    (void)snprintf(text, sizeof(text),
                   "{\"name\":\"app\",\"from\":{\"path\":\"/media/usb\"},%s\"prune\":true," FILES "}", o->fields);
    struct node *node = begin(text, seed);
    if (o->mount != NULL)
        hf_simfs_mount(node->fs, o->mount);
    for (const char *name = names; *name != '\0'; name++) {
        char path[40];
        (void)snprintf(path, sizeof(path), "%s/%c", o->first ? "/etc/app" : "/media/usb", *name);
        put(node, path, o->first ? "theirs" : "one");
    }
    if (!o->first) {
        boot(node);
        intervals(node, 4);
        expect(node, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_APPLIED, o->name);
    }
    target.stuck = o->stuck;
    target.stuck_error = -EBUSY;
    target.immutable = o->immutable;
    change_source(node);
    if (o->first)
        boot(node);
    intervals(node, 12);
    return node;
}

/* The set goes back as a whole after some attempts, the status names the file, and the source can bring another
 * content. */
START_TEST(set_that_never_fits_is_rolled_back)
{
    const struct obstinate *o = &obstinates[_i];
    struct node *node = begin_obstinate(o, 50 + (unsigned)_i);
    struct seen seen = look(node);
    const char *before = o->first ? "theirs" : "one";

    ck_assert_msg(seen.status.phase == HF_MANIFEST_ROLLED_BACK && strstr(seen.message, o->message) != NULL, "%s: %s",
                  o->name, node->status);
    ck_assert_msg(has(node, "/etc/app/a", before) && has(node, "/etc/app/b", before) && has(node, "/etc/app/c", before),
                  "%s: %s", o->name, node->status);
    ck_assert(has(node, "/etc/app/data/x", NULL));
    unsigned statuses = node->statuses;
    intervals(node, 5);
    ck_assert_uint_eq(node->statuses, statuses);
    target.stuck = target.immutable = NULL;
    hf_simfs_delete(node->fs, "/media/usb/data/x");
    put(node, "/media/usb/a", "three");
    intervals(node, 4);
    expect(node, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_APPLIED, o->name);
    ck_assert(has(node, "/etc/app/a", "three") && has(node, "/etc/app/b", "two"));
    end(node);
}
END_TEST

/* The same, and the entry leaves the policy while the file is as before. */
START_TEST(set_that_never_fits_goes_with_the_entry)
{
    const struct obstinate *o = &obstinates[_i];
    struct node *node = begin_obstinate(o, 60 + (unsigned)_i);
    struct stat st;

    target.immutable = NULL;
    set_policy(node, "");
    intervals(node, 2);
    if (hf_simfs_stat(node->fs, STATE "/manifests/app", &st)) {
        allow_prune(node, look(node).status.digest);
        intervals(node, 2);
    }
    ck_assert_msg(!hf_simfs_stat(node->fs, STATE "/manifests/app", &st), "%s: %s", o->name, node->status);
    ck_assert_msg(o->first ? has(node, "/etc/app/a", "theirs") && has(node, "/etc/app/b", "theirs")
                           : has(node, "/etc/app/a", NULL) && has(node, "/etc/app/b", NULL),
                  "%s", o->name);
    end(node);
}
END_TEST

/* The entry waits for a fault that passes by itself, however long that takes. */
START_TEST(swap_waits_for_what_passes)
{
    static const int errors[] = {-ENOSPC, -EDQUOT, -EROFS, -EIO, -ENOMEM};
    struct node *node = begin("{\"name\":\"app\",\"from\":{\"path\":\"/media/usb\"}," FILES "}", 70 + (unsigned)_i);

    put(node, "/media/usb/a", "one");
    boot(node);
    intervals(node, 4);
    target.stuck = "a";
    target.stuck_error = errors[_i];
    put(node, "/media/usb/a", "two");
    intervals(node, 100);
    ck_assert_int_eq(look(node).status.phase, HF_MANIFEST_APPLYING);
    target.stuck = NULL;
    intervals(node, 4);
    expect(node, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_APPLIED, "the disk is mended");
    ck_assert(has(node, "/etc/app/a", "two"));
    end(node);
}
END_TEST

/* A set fails, and its file cannot be replaced any more. The rollback ends, and does not claim that the good content is
 * in place: a power cut later the set is still unproven. Another content takes the place of the failed one. */
START_TEST(rollback_that_never_works_ends)
{
    struct node *node =
        begin("{\"name\":\"app\",\"from\":{\"path\":\"/media/usb\"},\"force\":true,\"prune\":true," FILES UNIT "}",
              80 + (unsigned)_i);
    struct stat st;
    size_t n;

    put(node, "/etc/app/z", "theirs");
    put(node, "/media/usb/a", "one");
    boot(node);
    intervals(node, 4);
    target.sticks = true;
    target.stuck_error = -EPERM;
    put(node, "/media/usb/a", "broken");
    put(node, "/media/usb/z", "ours");
    intervals(node, 14);
    target.sticks = false;
    struct seen seen = look(node);
    ck_assert_msg(seen.status.phase == HF_MANIFEST_ROLLED_BACK &&
                      seen.status.reason == HF_MANIFEST_REASON_RESTART_FAILED,
                  "%s", node->status);
    ck_assert_msg(strstr(seen.message, "'/etc/app/a'") != NULL, "%s", seen.message);
    ck_assert(has(node, "/etc/app/a", "broken"));
    ck_assert(hf_simfs_stat(node->fs, STATE "/manifests/app/before", &st));
    power_cut(node, 1);
    boot(node);
    intervals(node, 2);
    const char *record = hf_simfs_get(node->fs, STATE "/manifests/app/record", &n);
    ck_assert_ptr_nonnull(memmem(record, n, "\"unproven\":true", 15));
    target.stuck = NULL;
    if (_i == 0) {
        hf_simfs_delete(node->fs, "/media/usb/z");
        put(node, "/media/usb/a", "three");
        intervals(node, 4);
        expect(node, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_APPLIED, "the file can be replaced");
        ck_assert(has(node, "/etc/app/a", "three"));
    } else {
        set_policy(node, "");
        intervals(node, 4);
        ck_assert(!hf_simfs_stat(node->fs, STATE "/manifests/app", &st) && has(node, "/etc/app/a", NULL));
        ck_assert(!has(node, "/etc/app/z", NULL));
    }
    end(node);
}
END_TEST

enum { BY_POWER = 1, COMES_BACK = 2 };

/* The process ends at the n-th write of a removal: it is killed, or the power is cut. An entry that a policy has again
 * then has its file again; of one that none has, nothing stays. Returns false if no call was the n-th one. */
static bool cut_removal(uint64_t n, int how)
{
    static const char app[] = "{\"name\":\"app\",\"from\":{\"path\":\"/media/usb\"},\"prune\":true," FILES "}";
    struct node *node = begin(app, 1300 + n);
    struct stat st;

    put(node, "/media/usb/a", "one");
    boot(node);
    intervals(node, 4);
    set_policy(node, "");
    hf_simfs_count_only(node->fs, HF_SIMFS_WRITES);
    hf_simfs_stop_at(node->fs, n);
    intervals(node, 4);
    bool cut = hf_simfs_stopped(node->fs);
    if (cut) {
        hf_simproc_kill(node->proc);
        shut_down(node);
        hf_simfs_kill(node->fs);
        if ((how & BY_POWER) != 0)
            hf_simfs_power_cut(node->fs, n);
        if ((how & COMES_BACK) != 0)
            set_policy(node, app);
        boot(node);
        intervals(node, 10);
        if ((how & COMES_BACK) != 0) {
            ck_assert_int_eq(look(node).status.phase, HF_MANIFEST_APPLIED);
            ck_assert_msg(has(node, "/etc/app/a", "one"), "cut at %u: %s", (unsigned)n, node->status);
        } else {
            ck_assert_msg(has(node, "/etc/app/a", NULL) && !hf_simfs_stat(node->fs, STATE "/manifests/app", &st),
                          "cut at %u: %s", (unsigned)n, node->status);
        }
    }
    hf_simfs_stop_at(node->fs, 0);
    end(node);
    return cut;
}

START_TEST(cut_removal_leaves_no_entry_without_files)
{
    uint64_t n = 1;

    while (cut_removal(n, _i))
        n++;
    ck_assert_uint_gt(n, 5);
}
END_TEST

/* ---- sources, signatures and pods -------------------------------------------------------------------------------- */

#define EPOD                                                                                                           \
    "apiVersion: v1\nkind: Pod\nmetadata: {name: web, namespace: \"\"}\nspec: {containers: [{name: c, image: a}]}\n"

/* An empty namespace is "default" to the kubelet. */
START_TEST(pod_with_empty_namespace)
{
    struct node *node = begin(
        "{\"name\":\"app\",\"from\":{\"path\":\"/media/usb\"},\"healthDeadline\":\"60s\",\"to\":\"StaticPods\"}", 71);
    struct hf_simkubelet *kubelet = hf_simkubelet_new(node->loop, node->fs, "/etc/pods", "n1");

    hf_simnet_serve(node->net, "http://127.0.0.1:10255", answer_for_kubelet, kubelet);
    put(node, "/media/usb/web.yaml", EPOD);
    boot(node);
    intervals(node, 9);
    ck_assert_msg(has(node, "/etc/pods/app_default_web.yaml", EPOD), "%s", look(node).message);
    ck_assert_str_eq(hf_simkubelet_running(kubelet, "default", "web"), "a");
    expect(node, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_APPLIED, "the pod runs");
    end(node);
    hf_simkubelet_free(kubelet);
}
END_TEST

static bool names_another_revision(struct node *node)
{
    struct hf_manifest_record record;
    bool r = false;

    if (hf_manifest_record_load(hf_simfs_ops(node->fs), STATE "/manifests/app", &record, NULL) < 0)
        return false;
    r = record.known_revision[0] != '\0' && strcmp(record.known_revision + 7, record.known_digest) != 0;
    hf_manifest_record_done(&record);
    return r;
}

/* A disk that takes seconds to write a content. The revision of a folder is "sha256:" and the digest of its content,
 * so the record must never have the revision of one content and the digest of another. */
START_TEST(newer_content_while_one_is_written)
{
    unsigned wrong = 0;

    for (uint64_t seed = 1; seed <= 30 && wrong == 0; seed++) {
        struct node *node = begin("{\"name\":\"app\",\"from\":{\"path\":\"/media/usb\"}," FILES "}", 1000 + seed);
        unsigned number = 1;

        publish(node, 1);
        boot(node);
        intervals(node, 2);
        slow = node->proc;
        for (; number < 4 && wrong == 0;) {
            publish(node, ++number);
            hf_manifest_engine_check(node->engine);
            for (unsigned i = 0; i < 200 && wrong == 0; i++) {
                if (i % 20 == 0)
                    hf_manifest_engine_check(node->engine);
                (void)hf_simloop_run_for(node->loop, HF_NS_PER_S / 10);
                wrong += names_another_revision(node);
            }
        }
        slow = NULL;
        if (wrong > 0) { /* the power is cut now; the source rests from now on */
            hf_simproc_kill(node->proc);
            shut_down(node);
            boot(node);
            intervals(node, 60);
            ck_assert_msg(has_number(node, number), "seed %u: content %u never came: %s %s", (unsigned)seed, number,
                          hf_manifest_phase_name(look(node).status.phase), look(node).message);
        }
        end(node);
    }
    ck_assert_uint_eq(wrong, 0);
}
END_TEST

/* The entry waits for a hold. Meanwhile the owner takes the key back. What only a signed entry may do must not be
 * done when the hold ends. */
START_TEST(signature_that_is_taken_back)
{
    struct node *node = begin("", 71);

    pin(node, "one");
    hf_config_free(node->config);
    ck_assert_int_eq(hf_config_parse(HF_VIEW("apiVersion: edge.codcompass.io/v1alpha1\nkind: AgentConfiguration\n"
                                             "manifests:\n  paths: [/media/**]\n  files: [/srv/**]\n"
                                             "signedPolicies:\n  manifests:\n    paths: [/media/**]\n"
                                             "    files: [/etc/app/**]\n"),
                                     "agent.yaml", &node->config, NULL),
                     0);
    ck_assert_uint_eq(hf_config_n_faults(node->config), 0);
    put(node, "/media/usb/a", "one");
    trust_signed = 1;
    node->desired.held = true;
    boot(node);
    intervals(node, 4);
    expect(node, HF_MANIFEST_WAITING, HF_MANIFEST_REASON_HELD, "held");
    trust_signed = 0;
    tell(node);
    intervals(node, 4);
    node->desired.held = false;
    intervals(node, 6);
    trust_signed = -1;
    ck_assert_msg(has(node, "/etc/app/a", NULL), "an entry without a valid signature has written: %s",
                  look(node).message);
    end(node);
}
END_TEST

static struct {
    struct hf_buf gz;
    unsigned asked;
} archive;

static void serve_archive(void *arg, struct hf_simcall *call)
{
    const struct hf_http_response response = {.status = 200, .content_length = (int64_t)archive.gz.n};

    (void)arg;
    archive.asked++;
    hf_simcall_respond(call, &response);
    hf_simcall_send(call, archive.gz.p, archive.gz.n);
    hf_simcall_end(call);
}

/* An archive that does not fit beside the others (SourceTooLarge) is not downloaded again once per interval for ever,
 * and comes in when there is room. */
START_TEST(archive_that_finds_no_room)
{
    struct node *node = begin(ENTRY("a") "," ENTRY("b") "," ENTRY("c") "," ENTRY("d") "," ENTRY("e"), 41);
    char *bytes = calloc(1, 4 << 20), path[80], digest[HF_SHA256_HEX], entry[2000];
    struct hf_buf tar = HF_BUF_INIT(32 << 20);

    for (const char *name = "abcde"; *name != '\0'; name++)
        for (unsigned i = 0; i < 3; i++) {
            (void)snprintf(path, sizeof(path), "/media/%c/f%u", *name, i);
            hf_simfs_put(node->fs, path, bytes, 4 << 20, 0644);
        }
    archive.asked = 0;
    archive.gz = (struct hf_buf)HF_BUF_INIT(32 << 20);
    for (unsigned i = 0; i < 3; i++) {
        (void)snprintf(path, sizeof(path), "f%u", i);
        hf_tarball_add(&tar, path, '0', bytes, 4 << 20);
    }
    hf_tarball_end(&tar);
    hf_tarball_gzip(&tar, &archive.gz);
    (void)hf_sha256_hex(archive.gz.p, archive.gz.n, digest);
    hf_simnet_serve(node->net, "https://files", serve_archive, NULL);
    boot(node);
    intervals(node, 6);
    (void)snprintf(entry, sizeof(entry),
                   "%s,{\"name\":\"app\",\"from\":{\"url\":\"https://files/x.tar.gz\",\"digest\":"
                   "\"sha256:%s\"}," FILES "}",
                   ENTRY("a") "," ENTRY("b") "," ENTRY("c") "," ENTRY("d") "," ENTRY("e"), digest);
    set_policy(node, entry);
    intervals(node, 6);
    expect(node, HF_MANIFEST_FETCHING, HF_MANIFEST_REASON_SOURCE_TOO_LARGE, "six");
    for (unsigned i = 0; i < 24 * 12; i++) { /* a day, in intervals of 5 min */
        hf_manifest_engine_check(node->engine);
        tell(node);
        (void)hf_simloop_run_for(node->loop, 300 * HF_NS_PER_S);
    }
    unsigned asked = archive.asked;
    (void)snprintf(entry, sizeof(entry),
                   "%s,{\"name\":\"app\",\"from\":{\"url\":\"https://files/x.tar.gz\",\"digest\":"
                   "\"sha256:%s\"}," FILES "}",
                   ENTRY("a") "," ENTRY("b") "," ENTRY("c") "," ENTRY("d"), digest);
    set_policy(node, entry);
    intervals(node, 40);
    expect(node, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_APPLIED, "five");
    end(node);
    free(bytes);
    hf_buf_done(&tar);
    hf_buf_done(&archive.gz);
    ck_assert_msg(asked <= 24, "%u downloads in a day", asked);
}
END_TEST

/* Nobody needs a right to listen on 127.0.0.1:10255. The kubelet has closed this port (the default since years), and
 * runs the new pod well; a local user answers in its place. */
static void answer_for_a_local_user(void *arg, struct hf_simcall *call)
{
    (void)arg;
    hf_simcall_reply(
        call, 200, "application/json",
        "{\"kind\":\"PodList\",\"items\":[{\"metadata\":{\"name\":\"web-n1\",\"namespace\":\"default\","
        "\"annotations\":{\"kubernetes.io/config.hash\":\"x\"}},\"status\":{\"phase\":\"Running\","
        "\"conditions\":[{\"type\":\"Ready\",\"status\":\"False\"}],\"containerStatuses\":[{\"name\":\"c\","
        "\"state\":{\"waiting\":{\"reason\":\"CrashLoopBackOff\"}}}]}}]}");
}

START_TEST(local_user_judges_pods)
{
    struct node *node = begin(
        "{\"name\":\"app\",\"from\":{\"path\":\"/media/usb\"},\"healthDeadline\":\"60s\",\"to\":\"StaticPods\"}", 71);
    struct hf_simkubelet *kubelet = hf_simkubelet_new(node->loop, node->fs, "/etc/pods", "n1");

    put(node, "/media/usb/web.yaml", POD("a"));
    boot(node);
    intervals(node, 9);
    expect(node, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_HEALTH_UNKNOWN, "nobody answers");
    hf_simnet_serve(node->net, "http://127.0.0.1:10255", answer_for_a_local_user, NULL);
    hf_simkubelet_listen(node->fs, 1000);
    put(node, "/media/usb/web.yaml", POD("b"));
    intervals(node, 9);
    ck_assert_msg(has(node, "/etc/pods/app_default_web.yaml", POD("b")), "%s: %s",
                  hf_manifest_phase_name(look(node).status.phase), look(node).message);
    end(node);
    hf_simkubelet_free(kubelet);
}
END_TEST

/* ---- trials, prepared attempts and disks in trouble ---------------------------------------------------------------- */

static bool tamper_and_lose(struct node *node)
{
    char path[200], digest[100] = "";

    if (!has(node, "/etc/app/a", "two"))
        return false;
    put(node, "/etc/app/a", "theirs");
    (void)snprintf(digest, sizeof(digest), "%s", look(node).status.digest);
    (void)snprintf(path, sizeof(path), STATE "/manifests/app/b-%s", digest);
    size_t n;
    ck_assert_ptr_nonnull(hf_simfs_get(node->fs, path, &n));
    hf_simfs_delete(node->fs, path);
    return true;
}

/* On trial somebody changes a file, and our own copy of the content is lost: the content must come again from the
 * source and pass then; it is not the set's fault. */
START_TEST(trial_lost_content)
{
    struct node *node = begin_applied(
        "{\"name\":\"app\",\"from\":{\"path\":\"/media/usb\"},\"healthDeadline\":\"1m\"," FILES UNIT "}", 2001);

    on_restart = tamper_and_lose;
    put(node, "/media/usb/a", "two");
    intervals(node, 20);
    ck_assert_ptr_null(on_restart);
    ck_assert_msg(has(node, "/etc/app/a", "two"), "%s: restarts %u", node->status, node->restarts);
    end(node);
}
END_TEST

static bool tamper_once(struct node *node)
{
    if (!has(node, "/etc/app/a", "two"))
        return false;
    hf_simfs_delete(node->fs, "/etc/app/sub/x");
    hf_simfs_delete(node->fs, "/etc/app/sub");
    hf_simfs_delete(node->fs, "/etc/app/a");
    hf_simfs_delete(node->fs, "/etc/app");
    return true;
}

/* The agent is killed while it puts a file back on trial: no Event with nothing in it. */
START_TEST(cut_put_back_says_nothing)
{
    unsigned empty = 0, bad = 0;
    uint64_t n = 1;
    char first[100] = "";

    for (bool stopped = true; stopped; n++) {
        struct node *node = begin("{\"name\":\"app\",\"from\":{\"path\":\"/media/usb\"}," FILES UNIT "}", 2100 + n);
        put(node, "/media/usb/a", "one");
        put(node, "/media/usb/sub/x", "x");
        boot(node);
        intervals(node, 4);
        on_restart = tamper_once;
        put(node, "/media/usb/a", "two");
        hf_manifest_engine_check(node->engine);
        for (unsigned i = 0; i < 100000 && on_restart != NULL; i++)
            ck_assert(hf_simloop_step(node->loop));
        hf_simfs_count_only(node->fs, HF_SIMFS_WRITES);
        hf_simfs_stop_at(node->fs, n);
        intervals(node, 3);
        stopped = hf_simfs_stopped(node->fs);
        if (stopped) {
            hf_simproc_kill(node->proc);
            shut_down(node);
            hf_simfs_kill(node->fs);
            boot(node);
        }
        empty_notices = 0;
        intervals(node, 6);
        empty += empty_notices;
        if (empty_notices > 0 && first[0] == '\0')
            (void)snprintf(first, sizeof(first), "cut %u", (unsigned)n);
        bad += !has(node, "/etc/app/a", "two") || look(node).status.phase != HF_MANIFEST_APPLIED;
        end(node);
    }
    ck_assert_msg(bad == 0, "%u bad", bad);
    ck_assert_msg(empty == 0, "%u empty notices in %u cuts, first %s", empty, (unsigned)n, first);
}
END_TEST

static bool break_once(struct node *node)
{
    if (!has(node, "/etc/app/a", "two"))
        return false;
    put(node, "/etc/app/a", "broken");
    return true;
}

/* Somebody breaks a file on trial. It is put back, and the set passes. */
START_TEST(broken_on_trial)
{
    struct node *node =
        begin("{\"name\":\"app\",\"from\":{\"path\":\"/media/usb\"},\"healthDeadline\":\"1m\"," FILES UNIT "}", 2008);

    put(node, "/media/usb/a", "one");
    boot(node);
    intervals(node, 4);
    on_restart = break_once;
    put(node, "/media/usb/a", "two");
    intervals(node, 10);
    ck_assert_ptr_null(on_restart);
    ck_assert_msg(look(node).status.phase == HF_MANIFEST_APPLIED && has(node, "/etc/app/a", "two"), "%s", node->status);
    end(node);
}
END_TEST

/* Somebody changes the file of a sick pod on trial into one that runs. It is put back; his pod, which the kubelet
 * still runs, vouches for nothing. _i == 1: the agent is killed right after it has put the file back. */
START_TEST(their_pod_vouches)
{
    struct hf_simkubelet *kubelet;
    struct node *node = begin_pods("60s", 2009, 4, &kubelet);

    put(node, "/media/usb/web.yaml", POD("b-crash"));
    hf_manifest_engine_check(node->engine);
    step_until_web_is(node, POD("b-crash"));
    put(node, web_file, POD("theirs"));
    step_until_web_is(node, POD("b-crash"));
    if (_i == 1) {
        for (unsigned i = 0; i < 3; i++)
            (void)hf_simloop_step(node->loop);
        hf_simproc_kill(node->proc);
        shut_down(node);
        hf_simfs_kill(node->fs);
        boot(node);
    }
    intervals(node, 12);
    ck_assert_msg(look(node).status.phase == HF_MANIFEST_ROLLED_BACK, "%s: %s runs", node->status,
                  hf_simkubelet_running(kubelet, "default", "web"));
    end(node);
    hf_simkubelet_free(kubelet);
}
END_TEST

/* Somebody changes the file of a pod on trial into one that crashes. It is put back, and the set is not to blame. */
START_TEST(their_pod_fails)
{
    struct hf_simkubelet *kubelet;
    struct node *node = begin_pods("5m", 2019, 4, &kubelet);

    put(node, "/media/usb/web.yaml", POD("b"));
    hf_manifest_engine_check(node->engine);
    step_until_web_is(node, POD("b"));
    put(node, web_file, POD("theirs-crash"));
    intervals(node, 60);
    ck_assert_msg(look(node).status.phase == HF_MANIFEST_APPLIED, "%s", node->status);
    ck_assert_str_eq(hf_simkubelet_running(kubelet, "default", "web"), "b");
    end(node);
    hf_simkubelet_free(kubelet);
}
END_TEST

#define POD_DB "apiVersion: v1\nkind: Pod\nmetadata: {name: db}\nspec: {containers: [{name: c, image: d}]}\n"

/* The new version of `web` takes the port of `db`, so that `db` crashes again and again. */
static struct node *port_taken; /* NULL: it does not */

static void answer_with_db(void *kubelet, struct hf_simcall *call)
{
    _cleanup_(hf_buf_done) struct hf_buf body = HF_BUF_INIT(1 << 20);
    json_t *list = NULL;

    ck_assert(hf_simkubelet_list(kubelet, &body));
    ck_assert_int_eq(hf_json_parse(hf_buf_view(&body), NULL, &list, NULL), 0);
    json_t *items = json_object_get(list, "items");
    for (size_t i = 0; i < json_array_size(items); i++) {
        json_t *pod = json_array_get(items, i);
        if (port_taken == NULL || !has(port_taken, web_file, POD("b")) ||
            strcmp(hf_json_str_or(pod, "metadata.name", ""), "db-n1") != 0)
            continue;
        json_t *status = json_object_get(pod, "status");
        (void)json_object_set_new(status, "conditions", json_pack("[{s:s, s:s}]", "type", "Ready", "status", "False"));
        (void)json_object_set_new(
            status, "containerStatuses",
            json_pack("[{s:s, s:{s:{s:s}}}]", "name", "c", "state", "waiting", "reason", "CrashLoopBackOff"));
    }
    char *text = json_dumps(list, 0);
    hf_simcall_reply(call, 200, "application/json", text);
    free(text);
    json_decref(list);
}

/* A set changes `web` and leaves `db` as it is. Somebody changes the file of `web` on trial once, and it is put back.
 * Row 0: the set is good. Row 1: `db` crashes because of the new `web`. */
START_TEST(unchanged_pod_after_a_put_back)
{
    struct node *node = begin(
        "{\"name\":\"app\",\"from\":{\"path\":\"/media/usb\"},\"healthDeadline\":\"20s\",\"to\":\"StaticPods\"}", 5009);
    struct hf_simkubelet *kubelet = hf_simkubelet_new(node->loop, node->fs, "/etc/pods", "n1");

    hf_simnet_serve(node->net, "http://127.0.0.1:10255", answer_with_db, kubelet);
    put(node, "/media/usb/web.yaml", POD("a"));
    put(node, "/media/usb/db.yaml", POD_DB);
    boot(node);
    intervals(node, 4);
    expect(node, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_APPLIED, "first");
    port_taken = _i == 1 ? node : NULL;
    put(node, "/media/usb/web.yaml", POD("b"));
    hf_manifest_engine_check(node->engine);
    step_until_web_is(node, POD("b"));
    put(node, web_file, POD("theirs"));
    for (unsigned i = 0; i < 300 && !has(node, web_file, POD("b")); i++)
        (void)hf_simloop_run_for(node->loop, HF_NS_PER_S / 10);
    ck_assert(has(node, web_file, POD("b")));
    for (unsigned i = 0; i < 600 && (look(node).status.phase == HF_MANIFEST_PROBATION ||
                                     look(node).status.phase == HF_MANIFEST_ROLLING_BACK ||
                                     look(node).status.phase == HF_MANIFEST_APPLYING);
         i++)
        (void)hf_simloop_run_for(node->loop, HF_NS_PER_S / 10);
    struct seen seen = look(node);
    hf_manifest_engine_check(node->engine);
    (void)hf_simloop_run_for(node->loop, HF_NS_PER_S / 10);
    ck_assert_msg(seen.status.phase == (_i == 1 ? HF_MANIFEST_ROLLED_BACK : HF_MANIFEST_APPLIED) &&
                      seen.status.reason != HF_MANIFEST_REASON_HEALTH_UNKNOWN,
                  "%s %s %s", hf_manifest_phase_name(seen.status.phase), hf_manifest_reason_name(seen.status.reason),
                  seen.message);
    port_taken = NULL;
    end(node);
    hf_simkubelet_free(kubelet);
}
END_TEST

static bool disk_fails; /* no inventory can be written, once a set is in place */

static int fail_when_placed(void *arg)
{
    struct node *node = arg;

    return disk_fails && !has(node, web_file, POD("a")) ? -EIO : 0;
}

/* The files of a set are in place, but its swap did not come to its end: the disk gave errors for a moment (row 0), or
 * the agent was killed (rows 1 and 2). Before the swap is repeated, somebody changes the file of a pod. The hash of
 * this pod is new, too, and says nothing about the set: what crashes is not applied (rows 0 and 1), and what works is
 * not rolled back (row 2). */
START_TEST(their_pod_before_a_repeated_swap)
{
    struct hf_simkubelet *kubelet;
    struct node *node = begin_pods("3m", 2030, 4, &kubelet);
    const char *ours = _i == 2 ? POD("b") : POD("b-crash"), *theirs = _i == 2 ? POD("theirs-crash") : POD("theirs");

    put(node, "/media/usb/web.yaml", ours);
    disk_fails = true;
    hf_simfs_before_each(node->fs, fail_when_placed, node);
    hf_manifest_engine_check(node->engine);
    while (!has(node, web_file, ours))
        ck_assert(hf_simloop_step(node->loop));
    put(node, web_file, theirs);
    if (_i > 0) {
        hf_simproc_kill(node->proc);
        shut_down(node);
        hf_simfs_kill(node->fs);
    }
    (void)hf_simloop_run_for(node->loop, 5 * HF_NS_PER_S);
    disk_fails = false;
    hf_simfs_before_each(node->fs, NULL, NULL);
    if (_i > 0)
        boot(node);
    intervals(node, 30);
    ck_assert_msg(look(node).status.phase == (_i == 2 ? HF_MANIFEST_APPLIED : HF_MANIFEST_ROLLED_BACK), "%s: '%s' runs",
                  node->status, hf_simkubelet_running(kubelet, "default", "web"));
    ck_assert_str_eq(hf_simkubelet_running(kubelet, "default", "web"), _i == 2 ? "b" : "a");
    end(node);
    hf_simkubelet_free(kubelet);
}
END_TEST

/* The next set has one file more, which somebody has written with this content before: the set has to pass its
 * checks all the same (`validate` here would refuse it). */
START_TEST(adopted_file_is_checked)
{
    struct node *node = begin("{\"name\":\"app\",\"from\":{\"path\":\"/media/usb\"},\"validate\":{\"command\":[\"/usr/"
                              "bin/check\",\"{}\"]}," FILES UNIT "}",
                              2012);

    put(node, "/media/usb/b", "one");
    boot(node);
    intervals(node, 4);
    expect(node, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_APPLIED, "first");
    unsigned restarts = node->restarts, validations = node->validations;
    put(node, "/etc/app/a", "bad");
    put(node, "/media/usb/a", "bad");
    intervals(node, 4);
    ck_assert_msg(look(node).status.phase != HF_MANIFEST_APPLIED, "%u restarts, %u validations: %s",
                  node->restarts - restarts, node->validations - validations, node->status);
    end(node);
}
END_TEST

/* An entry whose path the node does not allow removes nothing there. */
START_TEST(cleans_where_it_may_not_write)
{
    struct node *node =
        begin("{\"name\":\"app\",\"from\":{\"path\":\"/media/usb\"},\"to\":\"Files\",\"path\":\"/home/x/\"}", 2010);

    put(node, "/home/.holdfast-app.new/precious", "theirs");
    put(node, "/home/x/.holdfast-app.new/precious", "theirs");
    put(node, "/media/usb/a", "one");
    boot(node);
    intervals(node, 4);
    expect(node, HF_MANIFEST_REFUSED, HF_MANIFEST_REASON_NOT_ALLOWED, "first");
    ck_assert_msg(has(node, "/home/.holdfast-app.new/precious", "theirs") &&
                      has(node, "/home/x/.holdfast-app.new/precious", "theirs"),
                  "%s", node->status);
    end(node);
}
END_TEST

/* The disk never reads one file in place, however often it is written. */
START_TEST(file_that_never_reads)
{
    struct node *node = begin_applied("{\"name\":\"app\",\"from\":{\"path\":\"/media/usb\"}," FILES UNIT "}", 2011);

    never_reads = true;
    shut_down(node);
    boot(node);
    unsigned restarts = node->restarts, drifts = look(node).status.drifts;
    (void)intervals(node, 6 * 60);
    never_reads = false;
    ck_assert_msg(node->restarts - restarts <= 12, "%u restarts and %u repairs in an hour: %s",
                  node->restarts - restarts, (unsigned)look(node).status.drifts - drifts, node->status);
    end(node);
}
END_TEST

/* A file cannot be put back for a minute: the unit does not restart again and again meanwhile. */
START_TEST(restarts_while_a_file_stays_changed)
{
    struct node *node = begin_changed_trial(2007, 1);

    hf_manifest_engine_check(node->engine);
    for (unsigned i = 0; i < 10000 && tampers > 0; i++)
        ck_assert(hf_simloop_step(node->loop));
    ck_assert(has(node, "/etc/app/a", "theirs"));
    target.stuck = "a";
    target.stuck_error = -EIO;
    unsigned restarts = node->restarts;
    intervals(node, 5);
    ck_assert_int_eq(look(node).status.phase, HF_MANIFEST_PROBATION);
    target.stuck = NULL;
    ck_assert_msg(node->restarts - restarts <= 3, "%u restarts in 50 s: %s", node->restarts - restarts, node->status);
    intervals(node, 6);
    expect(node, HF_MANIFEST_ROLLED_BACK, HF_MANIFEST_REASON_RESTART_FAILED, "the end");
    ck_assert(has(node, "/etc/app/a", "one"));
    end(node);
}
END_TEST

/* Our own copy of the content on trial lies on a block that the disk does not read any more: the content comes again
 * from the source, as it does before a trial; it is not the set's fault. */
static bool tamper_and_wear(struct node *node)
{
    static char path[200];

    if (!has(node, "/etc/app/a", "two"))
        return false;
    put(node, "/etc/app/a", "theirs");
    (void)snprintf(path, sizeof(path), STATE "/manifests/app/b-%s", look(node).status.digest);
    target.unreadable = path;
    return true;
}

START_TEST(trial_worn_content)
{
    struct node *node = begin_applied(
        "{\"name\":\"app\",\"from\":{\"path\":\"/media/usb\"},\"healthDeadline\":\"5m\"," FILES UNIT "}", 2015);

    on_restart = tamper_and_wear;
    put(node, "/media/usb/a", "two");
    intervals(node, 60);
    ck_assert_ptr_null(on_restart);
    ck_assert_uint_gt(target.errors, 0);
    target.unreadable = NULL;
    ck_assert_msg(has(node, "/etc/app/a", "two"), "%s: restarts %u", node->status, node->restarts);
    end(node);
}
END_TEST

/* The same for static pods, whose content says which pods have to run. */
START_TEST(trial_of_pods_with_worn_content)
{
    struct hf_simkubelet *kubelet;
    struct node *node = begin_pods("5m", 2016, 9, &kubelet);
    static char path[200];

    put(node, "/media/usb/web.yaml", POD("b"));
    hf_manifest_engine_check(node->engine);
    for (unsigned i = 0; i < 100000 && strcmp(phase_on_disk(node), "\"Probation\"") != 0; i++)
        ck_assert(hf_simloop_step(node->loop));
    (void)snprintf(path, sizeof(path), STATE "/manifests/app/b-%s", look(node).status.digest);
    hf_simproc_kill(node->proc);
    shut_down(node);
    hf_simfs_kill(node->fs);
    target.unreadable = path;
    target.errors = 0;
    boot(node);
    intervals(node, 60);
    ck_assert_uint_gt(target.errors, 5);
    ck_assert_ptr_null(target.unreadable); /* the source has delivered it again */
    expect(node, HF_MANIFEST_APPLIED, look(node).status.reason, "second");
    ck_assert_str_eq(hf_simkubelet_running(kubelet, "default", "web"), "b");
    end(node);
    hf_simkubelet_free(kubelet);
}
END_TEST

static unsigned flaps;

static bool change_and_hold(struct node *node)
{
    if (!has(node, "/etc/app/a", "two"))
        return false;
    put(node, "/etc/app/a", "theirs");
    target.stuck = "a";
    target.stuck_error = -EIO;
    flaps++;
    return false;
}

/* Somebody changes a file on trial so that it cannot be put back, takes his change back, and begins anew: he does not
 * keep the set on trial for ever, nor does the unit restart each time. */
START_TEST(change_that_comes_and_goes)
{
    struct node *node = begin_applied(
        "{\"name\":\"app\",\"from\":{\"path\":\"/media/usb\"},\"healthDeadline\":\"5m\"," FILES UNIT "}", 2013);

    put(node, "/media/usb/a", "two");
    flaps = 0;
    on_restart = change_and_hold;
    unsigned restarts = node->restarts;
    for (unsigned i = 0; i < 30; i++) {
        intervals(node, 2);
        target.stuck = NULL;
        if (has(node, "/etc/app/a", "theirs"))
            put(node, "/etc/app/a", "two");
    }
    on_restart = NULL;
    ck_assert_uint_gt(flaps, 0);
    ck_assert_msg(look(node).status.phase == HF_MANIFEST_APPLIED && node->restarts - restarts <= 8,
                  "%u restarts in 10 min: %s", node->restarts - restarts, node->status);
    end(node);
}
END_TEST

/* Somebody removes a file of the good set, and the disk does not read our copy of the content: the source delivers it
 * again. */
START_TEST(drift_with_worn_copy)
{
    struct node *node = begin_applied("{\"name\":\"app\",\"from\":{\"path\":\"/media/usb\"}," FILES UNIT "}", 2017);
    static char path[200];

    (void)snprintf(path, sizeof(path), STATE "/manifests/app/b-%s", look(node).status.digest);
    target.unreadable = path;
    target.errors = 0;
    hf_simfs_delete(node->fs, "/etc/app/a");
    intervals(node, 360);
    ck_assert_uint_gt(target.errors, 5);
    ck_assert_msg(has(node, "/etc/app/a", "one"), "not repaired in 1 h, %u reads: %s", target.errors, node->status);
    target.unreadable = NULL;
    end(node);
}
END_TEST

static bool tamper_and_run_out(struct node *node)
{
    if (!has(node, "/etc/app/a", "broken"))
        return false;
    put(node, "/etc/app/a", "theirs");
    hf_simfs_count_only(node->fs, HF_SIMFS_READS);
    hf_simfs_fail_at(node->fs, 1, ENFILE, 1);
    return true;
}

/* The one look after the checks fails for a moment, because the node has no file descriptor left: what somebody has put
 * in the place of a set that does not work vouches for nothing all the same. */
START_TEST(look_on_trial_that_fails_once)
{
    struct node *node = begin_applied(
        "{\"name\":\"app\",\"from\":{\"path\":\"/media/usb\"},\"healthDeadline\":\"1m\"," FILES UNIT "}", 2018);

    on_restart = tamper_and_run_out;
    put(node, "/media/usb/a", "broken");
    intervals(node, 30);
    ck_assert_ptr_null(on_restart);
    ck_assert_uint_eq(hf_simfs_failed(node->fs), 1);
    ck_assert_msg(look(node).status.phase == HF_MANIFEST_ROLLED_BACK && has(node, "/etc/app/a", "one"), "%s",
                  node->status);
    end(node);
}
END_TEST

/* The disk gives one error before the first file changes (_i even), or the agent is killed between Go and the first
 * change (_i odd). Nobody changes anything. The kubelet looks at its folder every 20 s: the pod of the old file vouches
 * for no sick set in between. */
START_TEST(old_pod_vouches_for_no_repeated_swap)
{
    struct hf_simkubelet *kubelet;
    struct node *node = begin_pods("30s", 3000 + (uint64_t)_i, 6, &kubelet);

    hf_simkubelet_set_pause(kubelet, 19 * HF_NS_PER_S);
    (void)hf_simloop_run_for(node->loop, (uint64_t)(_i + 2) * 2 * HF_NS_PER_S);
    put(node, "/media/usb/web.yaml", POD("b-crash"));
    target.uncreatable = "inventory.new";
    hf_manifest_engine_check(node->engine);
    for (unsigned i = 0; i < 100000 && look(node).status.phase != HF_MANIFEST_APPLYING; i++)
        ck_assert(hf_simloop_step(node->loop));
    (void)hf_simloop_run_for(node->loop, HF_NS_PER_S / 10);
    ck_assert(has(node, web_file, POD("a")));
    if (_i % 2 == 1) {
        hf_simproc_kill(node->proc);
        shut_down(node);
        hf_simfs_kill(node->fs);
    }
    target.uncreatable = NULL;
    if (_i % 2 == 1)
        boot(node);
    intervals(node, 30);
    struct seen seen = look(node);
    ck_assert_msg(!(seen.status.phase == HF_MANIFEST_APPLIED && seen.status.reason == HF_MANIFEST_REASON_APPLIED),
                  "%s: '%s' is ready", node->status, hf_simkubelet_running(kubelet, "default", "web"));
    ck_assert_msg(seen.status.phase == HF_MANIFEST_ROLLED_BACK, "%s", node->status);
    end(node);
    hf_simkubelet_free(kubelet);
}
END_TEST

/* A file of the good set drifts, and the disk never reads the copy of its content, which comes from a metered link. */
START_TEST(worn_copy_downloads)
{
    char *bytes = calloc(1, 1 << 20), digest[HF_SHA256_HEX], entry[500];
    static char path[200];
    struct hf_buf tar = HF_BUF_INIT(32 << 20);

    archive.asked = 0;
    archive.gz = (struct hf_buf)HF_BUF_INIT(32 << 20);
    hf_tarball_add(&tar, "a", '0', bytes, 1 << 20);
    hf_tarball_end(&tar);
    hf_tarball_gzip(&tar, &archive.gz);
    (void)hf_sha256_hex(archive.gz.p, archive.gz.n, digest);
    (void)snprintf(
        entry, sizeof(entry),
        "{\"name\":\"app\",\"from\":{\"url\":\"https://files/x.tar.gz\",\"digest\":\"sha256:%s\"}," FILES "}", digest);
    struct node *node = begin(entry, 3100);
    hf_simnet_serve(node->net, "https://files", serve_archive, NULL);
    boot(node);
    intervals(node, 12);
    expect(node, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_APPLIED, "first");
    (void)snprintf(path, sizeof(path), STATE "/manifests/app/b-%s", look(node).status.digest);
    worn_for_ever = path;
    hf_simfs_delete(node->fs, "/etc/app/a");
    unsigned before = archive.asked;
    for (unsigned i = 0; i < 24 * 12; i++) { /* a day, in intervals of 5 min */
        hf_manifest_engine_check(node->engine);
        tell(node);
        (void)hf_simloop_run_for(node->loop, 300 * HF_NS_PER_S);
    }
    worn_for_ever = NULL;
    unsigned asked = archive.asked - before;
    char status[800];
    memcpy(status, node->status, sizeof(status));
    end(node);
    free(bytes);
    hf_buf_done(&tar);
    hf_buf_done(&archive.gz);
    ck_assert_msg(asked <= 24, "%u downloads in a day, %s", asked, status);
}
END_TEST

static struct node *begin_unsaved(const char *fields, uint64_t seed)
{
    char text[500];
    struct stat st;

    (void)snprintf(text, sizeof(text), "{\"name\":\"app\",\"from\":{\"path\":\"/media/usb\"},%s" FILES UNIT "}",
                   fields);
    struct node *node = begin(text, seed);
    put(node, "/etc/app/z", "theirs 1");
    put(node, "/media/usb/a", "one");
    boot(node);
    intervals(node, 4);
    expect(node, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_APPLIED, "first");
    put(node, "/media/usb/c", "more");
    if (fields[0] != '\0') {
        put(node, "/media/usb/a", "broken");
        put(node, "/media/usb/z", "ours");
    }
    hf_manifest_engine_check(node->engine);
    for (unsigned k = 0; k < 100000 && !hf_simfs_stat(node->fs, "/etc/.holdfast-app.new/c", &st); k++)
        (void)hf_simloop_step(node->loop);
    ck_assert(hf_simfs_stat(node->fs, "/etc/.holdfast-app.new/c", &st));
    target.uncreatable = "record.new";
    intervals(node, 6);
    ck_assert(has(node, "/etc/app/c", NULL));
    return node;
}

/* With the staged files on the disk there is no room for the record: the files are not staged every few seconds. */
START_TEST(prepared_attempt_fills_the_disk)
{
    struct node *node = begin_applied("{\"name\":\"app\",\"from\":{\"path\":\"/media/usb\"}," FILES UNIT "}", 2014);

    put(node, "/media/usb/c", "more");
    scant.fs = node->fs;
    scant.staged = 0;
    intervals(node, 360);
    scant.fs = NULL;
    ck_assert_msg(scant.staged <= 150, "staged %u times in an hour: %s", scant.staged, node->status);
    intervals(node, 12);
    expect(node, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_APPLIED, "there is room");
    end(node);
}
END_TEST

/* The record that says Applying cannot be written: drift of what is in place is repaired all the same. */
START_TEST(prepared_attempt_stops_drift)
{
    struct node *node = begin_unsaved("", 2002);

    put(node, "/etc/app/a", "drift");
    intervals(node, 360);
    char status[800];
    memcpy(status, node->status, sizeof(status));
    bool repaired = has(node, "/etc/app/a", "one");
    target.uncreatable = NULL;
    end(node);
    ck_assert_msg(repaired, "an hour later: %s", status);
}
END_TEST

/* The record finds no room on the disk, perhaps because of the staged files: the agent removes them. */
START_TEST(prepared_attempt_leaves_staging)
{
    struct node *node = begin_unsaved("", 2003);
    struct stat st;

    intervals(node, 60);
    ck_assert_msg(!hf_simfs_stat(node->fs, "/etc/.holdfast-app.new/c", &st), "staged files stay: %s", node->status);
    end(node);
}
END_TEST

/* The site's hold comes meanwhile. */
START_TEST(prepared_attempt_and_hold)
{
    struct node *node = begin_unsaved("", 2004);

    node->desired.held = true;
    intervals(node, 6);
    target.uncreatable = NULL;
    intervals(node, 6);
    ck_assert_msg(has(node, "/etc/app/c", NULL), "new content under a hold: %s", node->status);
    end(node);
}
END_TEST

/* The content is mended meanwhile / the entry leaves the policy */
START_TEST(prepared_attempt_and_removal)
{
    struct node *node = begin_unsaved("\"force\":true,\"prune\":true,", 2005);

    set_policy(node, "");
    intervals(node, 6);
    unsigned restarts = node->restarts;
    target.uncreatable = NULL;
    intervals(node, 6);
    ck_assert_msg(node->restarts == restarts, "%u restarts, %s", node->restarts - restarts, node->status);
    end(node);
}
END_TEST

/* Somebody else's file changes (_i == 0) or goes (_i == 1) while the record of a prepared attempt cannot be
 * written; the set fails then. */
START_TEST(stale_backup)
{
    struct node *node = begin_unsaved("\"force\":true,\"prune\":true,", 2006);

    if (_i == 0)
        put(node, "/etc/app/z", "theirs 2");
    else
        hf_simfs_delete(node->fs, "/etc/app/z");
    intervals(node, 6);
    target.uncreatable = NULL;
    intervals(node, 20);
    expect(node, HF_MANIFEST_ROLLED_BACK, HF_MANIFEST_REASON_RESTART_FAILED, "second");
    ck_assert_msg(has(node, "/etc/app/z", _i == 0 ? "theirs 2" : NULL), "an old content of somebody's file is back: %s",
                  node->status);
    end(node);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_test(tc, labels_that_matter);
    tcase_add_test(tc, paced_labels_behind_a_gate);
    tcase_add_test(tc, label_that_is_as_before_does_not_wait);
    tcase_add_test(tc, watches_of_all);
    tcase_add_test(tc, bytes_of_all);
    tcase_add_test(tc, waiting_removals_take_no_room);
    tcase_add_test(tc, too_many_waiting_removals);
    tcase_add_test(tc, bytes_of_waiting_removals);
    tcase_add_loop_test(tc, waits_have_reasons, 0, HF_LEN(waits));
    tcase_add_test(tc, pods_are_staged_inside);
    tcase_add_test(tc, pods_stay_while_the_kubelet_is_away);
    tcase_add_loop_test(tc, pods_move_in_the_source, 0, 2);
    tcase_add_loop_test(tc, pods_of_the_old_file_do_not_count, 0, 3);
    tcase_add_test(tc, pod_that_keeps_its_hash_is_judged);
    tcase_add_test(tc, pod_that_keeps_its_hash_is_unknown);
    tcase_add_loop_test(tc, nobody_vouches_for_pods, 0, 4);
    tcase_add_loop_test(tc, obstacles_are_told_once, 0, HF_LEN(obstacles));
    tcase_add_test(tc, hostile_source_is_paced);
    tcase_add_loop_test(tc, full_disk_keeps_content_out, 0, 2);
    tcase_add_loop_test(tc, mismatch_stays_in_the_status, 0, 3);
    tcase_add_loop_test(tc, damaged_before, 0, 6);
    tcase_add_loop_test(tc, all_of_before_is_damaged, 0, 3);
    tcase_add_test(tc, adopted_file_stays);
    tcase_add_test(tc, adopted_file_stays_without_the_record);
    tcase_add_loop_test(tc, lost_content_is_not_good, 0, 2);
    tcase_add_test(tc, lost_pods_are_not_good);
    tcase_add_test(tc, drift_is_repaired_while_a_set_waits);
    tcase_add_test(tc, rollback_waits_for_the_target);
    tcase_add_test(tc, reload_starts_what_is_not_active);
    tcase_add_test(tc, rollback_reads_again);
    tcase_add_loop_test(tc, lost_record_removes_nothing, 0, 2);
    tcase_add_test(tc, lost_inventory_forgets_no_new_file);
    tcase_add_test(tc, cut_swap_lifts_no_guard);
    tcase_add_loop_test(tc, unreadable_content_keeps_nothing_out, 0, 2);
    tcase_add_test(tc, refusal_after_a_cut_keeps_repairs);
    tcase_add_loop_test(tc, failure_after_a_cut_keeps_repairs, 0, 2);
    tcase_add_test(tc, attempt_that_changed_nothing_keeps_repairs);
    tcase_add_test(tc, lost_older_content_is_not_fetched);
    tcase_add_loop_test(tc, unreadable_state_stops_one_entry, 0, 2);
    tcase_add_test(tc, cut_swap_spares_no_validation);
    tcase_add_test(tc, validation_that_did_not_start_is_repeated);
    tcase_add_test(tc, missing_validation_is_repeated_each_interval);
    tcase_add_test(tc, content_that_was_not_written_comes_again);
    tcase_add_test(tc, content_that_cannot_be_written_is_not_paced);
    tcase_add_loop_test(tc, wait_for_the_interval_is_kept, 0, 2);
    tcase_add_test(tc, removal_that_failed_is_repeated);
    tcase_add_test(tc, removal_that_is_not_allowed_waits);
    tcase_add_test(tc, removal_that_has_begun_is_not_repaired);
    tcase_add_test(tc, digest_of_the_status_allows_the_removal);
    tcase_add_test(tc, file_that_no_attempt_replaced_stays);
    tcase_add_loop_test(tc, cut_set_goes_with_the_entry, 0, 2);
    tcase_add_loop_test(tc, set_that_never_fits_is_rolled_back, 0, HF_LEN(obstinates));
    tcase_add_loop_test(tc, set_that_never_fits_goes_with_the_entry, 0, HF_LEN(obstinates));
    tcase_add_loop_test(tc, swap_waits_for_what_passes, 0, 5);
    tcase_add_loop_test(tc, rollback_that_never_works_ends, 0, 2);
    tcase_add_loop_test(tc, cut_removal_leaves_no_entry_without_files, 0, 4);
    tcase_add_test(tc, entry_that_comes_back_is_watched);
    tcase_add_loop_test(tc, look_that_failed_is_repeated, 0, 2);
    tcase_add_loop_test(tc, cut_repair_is_finished, 0, 4);
    tcase_add_test(tc, archive_that_finds_no_room);
    tcase_add_test(tc, pod_with_empty_namespace);
    tcase_add_test(tc, newer_content_while_one_is_written);
    tcase_add_test(tc, signature_that_is_taken_back);
    tcase_add_test(tc, local_user_judges_pods);
    tcase_add_test(tc, trial_lost_content);
    tcase_add_test(tc, cut_put_back_says_nothing);
    tcase_add_test(tc, adopted_file_is_checked);
    tcase_add_test(tc, broken_on_trial);
    tcase_add_loop_test(tc, their_pod_vouches, 0, 2);
    tcase_add_test(tc, their_pod_fails);
    tcase_add_loop_test(tc, their_pod_before_a_repeated_swap, 0, 3);
    tcase_add_test(tc, cleans_where_it_may_not_write);
    tcase_add_test(tc, file_that_never_reads);
    tcase_add_test(tc, restarts_while_a_file_stays_changed);
    tcase_add_test(tc, trial_worn_content);
    tcase_add_test(tc, trial_of_pods_with_worn_content);
    tcase_add_test(tc, change_that_comes_and_goes);
    tcase_add_test(tc, prepared_attempt_fills_the_disk);
    tcase_add_test(tc, drift_with_worn_copy);
    tcase_add_test(tc, look_on_trial_that_fails_once);
    tcase_add_loop_test(tc, old_pod_vouches_for_no_repeated_swap, 0, 12);
    tcase_add_test(tc, worn_copy_downloads);
    tcase_add_loop_test(tc, unchanged_pod_after_a_put_back, 0, 2);
    tcase_add_test(tc, prepared_attempt_stops_drift);
    tcase_add_test(tc, prepared_attempt_leaves_staging);
    tcase_add_test(tc, prepared_attempt_and_hold);
    tcase_add_test(tc, prepared_attempt_and_removal);
    tcase_add_loop_test(tc, stale_backup, 0, 2);
    tcase_add_loop_test(tc, restart_after_a_cut_repair, 0, 2);
    tcase_add_test(tc, restart_that_was_cut_is_repeated);
    tcase_add_loop_test(tc, restart_that_failed_is_repeated, 0, 2);
    tcase_add_test(tc, drift_is_repaired_without_the_record);
    tcase_add_test(tc, newer_content_needs_no_second_restart);
    tcase_add_loop_test(tc, change_on_trial_vouches_for_nothing, 0, 3);
    tcase_add_test(tc, change_on_trial_again_and_again);
    tcase_add_loop_test(tc, change_on_trial_that_stays, 0, 2);
    tcase_add_loop_test(tc, unit_that_is_no_longer_permitted, 0, 2);
    tcase_add_loop_test(tc, drift_while_the_state_is_full_with_a_unit, 0, 2);
    tcase_add_loop_test(tc, drift_while_the_state_is_full, 0, 2);
    tcase_add_loop_test(tc, bad_block_in_the_target, 0, 2);
    tcase_add_test(tc, rollback_over_a_bad_block);
    tcase_add_test(tc, drift_that_is_the_next_set);
    tcase_add_test(tc, record_with_half_a_character);
    tcase_add_test(tc, backups_that_a_cleanup_left);
    tcase_add_test(tc, left_entry_writes_nothing);
    tcase_add_test(tc, full_state_is_asked_at_a_pace);
    tcase_add_test(tc, attempt_that_waited_for_its_record);
    tcase_add_test(tc, refusal_with_half_a_character);
    tcase_add_test(tc, staging_of_an_entry_that_left);
    tcase_add_test(tc, restart_that_takes_long);
    tcase_add_test(tc, rollback_restarts_once);
}

HF_TEST_MAIN_CPU("manifests/entry", cases, 300)
