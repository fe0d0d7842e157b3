/* SPDX-License-Identifier: Apache-2.0 */
#include "support/manifest_node.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include <check.h>

#include "support/manifest_idle.h"

struct faults faults = {.service.active_state = "active", .trust_signed = -1};
struct watched watched;

/* ---- the disk ---------------------------------------------------------------------------------------------------- */

static const struct hf_fs_ops *disk;
static struct hf_fs_ops disk_ops;

/* The disk takes no record while it holds the staged files. */
static bool is_scant(const char *path, int flags)
{
    struct stat st;

    if (faults.disk.scant == NULL || (flags & O_CREAT) == 0 || strstr(path, "record.new") == NULL ||
        !hf_simfs_stat(faults.disk.scant->fs, "/etc/.holdfast-app.new/c", &st))
        return false;
    faults.disk.staged++;
    return true;
}

static void pause_a_while(struct hf_simproc *proc)
{
    hf_simproc_set_pauses(proc, 20 * HF_NS_PER_S);
    for (unsigned i = 0; i < 40; i++)
        (void)hf_simproc_pause(proc);
}

static bool is(const char *path, const char *wanted)
{
    return wanted != NULL && strcmp(path, wanted) == 0;
}

static bool has_part(const char *path, const char *part)
{
    return part != NULL && strstr(path, part) != NULL;
}

static int open_file(void *ctx, int dirfd, const char *path, int flags, mode_t mode, unsigned resolve)
{
    bool creates = (flags & O_CREAT) != 0, writes_content = creates && has_part(path, "/b-");
    bool is_unreadable = is(path, faults.disk.unreadable), is_refused = faults.disk.unwritable && writes_content;

    if (faults.disk.slow != NULL && writes_content)
        pause_a_while(faults.disk.slow);
    if (faults.disk.never_reads && is(path, "a") && (flags & (O_CREAT | O_PATH)) == 0)
        return -EIO;
    if (!creates && is(path, faults.disk.worn))
        return -EIO;
    faults.disk.errors += is_unreadable;
    faults.disk.refused += is_refused;
    if (is_unreadable || is_refused || (creates && has_part(path, faults.disk.uncreatable)) || is_scant(path, flags) ||
        (faults.disk.broken && is(path, "app")))
        return -EIO;
    return disk->openat(ctx, dirfd, path, flags, mode, resolve);
}

static int remove_file(void *ctx, int dirfd, const char *path, int flags)
{
    return is(path, faults.disk.immutable) ? -EPERM : disk->unlinkat(ctx, dirfd, path, flags);
}

/* A file that is written anew, or that replaces the damaged one, lies on other blocks, which the disk reads. */
static int rename_file(void *ctx, int from_dir, const char *from, int to_dir, const char *to)
{
    if (is(to, faults.disk.stuck))
        return faults.disk.stuck_error;
    if (is(to, faults.disk.unreadable))
        faults.disk.unreadable = NULL;
    return disk->renameat(ctx, from_dir, from, to_dir, to);
}

static const struct hf_fs_ops *fs_of(struct node *node)
{
    disk = hf_simfs_ops(node->fs);
    disk_ops = *disk;
    disk_ops.openat = open_file;
    disk_ops.unlinkat = remove_file;
    disk_ops.renameat = rename_file;
    return &disk_ops;
}

void node_put(struct node *node, const char *path, const char *text)
{
    hf_simfs_put(node->fs, path, text, strlen(text), 0644);
}

bool node_has(struct node *node, const char *path, const char *text)
{
    size_t n = 0;
    const char *bytes = hf_simfs_get(node->fs, path, &n);

    return text == NULL ? bytes == NULL : bytes != NULL && n == strlen(text) && memcmp(bytes, text, n) == 0;
}

void node_publish(struct node *node, unsigned number)
{
    char text[40];

    (void)snprintf(text, sizeof(text), "content %u", number);
    node_put(node, "/media/usb/a", text);
}

bool node_has_number(struct node *node, unsigned number)
{
    char text[40];

    (void)snprintf(text, sizeof(text), "content %u", number);
    return node_has(node, "/etc/app/a", text);
}

const char *node_phase_on_disk(struct node *node)
{
    static const char *const phases[] = {"\"Applying\"", "\"Probation\"", "\"Waiting\"", "\"Applied\""};
    size_t size = 0;
    const char *text = hf_simfs_get(node->fs, NODE_STATE "/manifests/app/record", &size);

    for (size_t i = 0; text != NULL && i < HF_LEN(phases); i++)
        if (memmem(text, size, phases[i], strlen(phases[i])) != NULL)
            return phases[i];
    return "";
}

void loss_find_good(void *arg, const char *path, const struct stat *st)
{
    struct loss *loss = arg;

    if (S_ISREG(st->st_mode) && strstr(path, "/b-") != NULL)
        (void)snprintf(loss->good, sizeof(loss->good), "%s", path);
}

void loss_damage(void *arg, const char *path, const struct stat *st)
{
    struct loss *loss = arg;

    if (S_ISREG(st->st_mode) && strstr(path, "/b-") != NULL && strcmp(path, loss->good) != 0) {
        node_put(loss->node, path, "damaged");
        loss->n++;
    }
}

/* ---- memory and processes ---------------------------------------------------------------------------------------- */

static const struct hf_sched_ops *sched;
static struct hf_sched_ops sched_ops;

static struct hf_timer *new_timer(void *ctx, void (*fire)(void *arg), void *arg)
{
    size_t n;

    if (faults.memory.file == NULL || hf_simfs_get(faults.memory.node->fs, faults.memory.file, &n) == NULL)
        return sched->timer_new(ctx, fire, arg);
    faults.memory.file = NULL;
    return NULL;
}

static const struct hf_sched_ops *sched_of(struct node *node)
{
    sched = hf_simproc_sched(node->proc);
    sched_ops = *sched;
    sched_ops.timer_new = new_timer;
    return &sched_ops;
}

static const struct hf_proc_ops *kernel;
static struct hf_proc_ops kernel_ops;

static int spawn(void *ctx, const struct hf_proc_request *request, struct hf_proc_call **ret_call, struct hf_err *err)
{
    if (faults.procs.failures == 0)
        return kernel->spawn(ctx, request, ret_call, err);
    faults.procs.failures--;
    return hf_err_sys(err, faults.procs.error != 0 ? faults.procs.error : -EAGAIN, "run '%s'", request->argv[0]);
}

static const struct hf_proc_ops *proc_of(struct node *node)
{
    kernel = hf_simhost_proc(node->host);
    kernel_ops = *kernel;
    kernel_ops.spawn = spawn;
    return &kernel_ops;
}

/* /usr/bin/check */
static int run(void *arg, const char *const *argv, int *ret_exit_code)
{
    struct node *node = arg;
    char path[200];

    ck_assert_str_eq(argv[0], "/usr/bin/check");
    (void)snprintf(path, sizeof(path), "%s/a", argv[1]);
    node->validations++;
    *ret_exit_code = node_has(node, path, "bad") ? 3 : 0;
    return 0;
}

/* ---- the service ------------------------------------------------------------------------------------------------- */

int node_restart(struct node *node)
{
    node->restarts++;
    if (faults.service.hangs)
        return HF_SIMHOST_HANGS;
    if (faults.service.fails > 0) {
        faults.service.fails--;
        return -EIO;
    }
    if (faults.service.tampers > 0 && node_has(node, "/etc/app/a", "broken")) {
        faults.service.tampers--;
        node_put(node, "/etc/app/a", "theirs");
    }
    if (faults.service.on_restart != NULL && faults.service.on_restart(node))
        faults.service.on_restart = NULL;

    bool is_broken = node_has(node, "/etc/app/a", "broken");
    faults.disk.broken = faults.disk.breaks && is_broken;
    if (faults.disk.sticks && is_broken)
        faults.disk.stuck = "a";
    if (is_broken)
        return -EIO;
    size_t n = 0;
    const char *bytes = hf_simfs_get(node->fs, "/etc/app/a", &n);
    (void)snprintf(node->served, sizeof(node->served), "%.*s", (int)n, bytes != NULL ? bytes : "");
    return 0;
}

/* As systemd: only an active unit can be reloaded, and a restart makes it active. */
static int reload(void *arg, const char *unit)
{
    struct node *node = arg;

    ck_assert_str_eq(unit, "app.service");
    node->reloads++;
    return strcmp(faults.service.active_state, "active") == 0 ? 0 : -EIO;
}

static int restart(void *arg, const char *unit)
{
    ck_assert_str_eq(unit, "app.service");
    int r = node_restart(arg);

    faults.service.active_state = r == 0 ? "active" : "failed";
    return r;
}

static int state(void *arg, const char *unit, const char **ret_active_state)
{
    (void)arg;
    ck_assert_str_eq(unit, "app.service");
    *ret_active_state = faults.service.active_state;
    return 0;
}

/* ---- what the engine asks and says ------------------------------------------------------------------------------- */

static void format(void *arg, const struct hf_manifest_status *status)
{
    char *text = arg;
    size_t n = strlen(text);

    if (n + 1 < 800) /* it is not full, as it soon is with many entries */
        (void)snprintf(text + n, 800 - n, "%s %s %s %u: %s\n", status->name, hf_manifest_phase_name(status->phase),
                       hf_manifest_reason_name(status->reason), status->drifts, status->message);
}

static void format_all(void *arg, const struct hf_manifest_status *status)
{
    char *text = arg;
    size_t n = strlen(text), max = sizeof(((struct node *)NULL)->told);

    if (n + 1 == max)
        return;
    (void)snprintf(text + n, max - n, "%s %d %s %s %s %s, %u items, %u drifts, %d: %s\n", status->name, (int)status->to,
                   hf_manifest_phase_name(status->phase), status->revision, status->digest,
                   hf_manifest_reason_name(status->reason), status->items, status->drifts, status->settled,
                   status->message);
}

struct report {
    char text[800];
    char *all;
};

static void format_both(void *arg, const struct hf_manifest_status *status)
{
    struct report *report = arg;

    format(report->text, status);
    format_all(report->all, status);
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
    struct report report = {.all = node->told};

    node->told[0] = '\0';
    hf_manifest_engine_each(node->engine, format_both, &report);
    node->statuses += strcmp(report.text, node->status) != 0;
    memcpy(node->status, report.text, sizeof(report.text));
}

static void expect_told(struct node *node)
{
    char text[sizeof(node->told)] = "";

    if (hf_simfs_stopped(node->fs) || node->told[0] == '\0' || !manifest_is_idle(node->engine))
        return;
    hf_manifest_engine_each(node->engine, format_all, text);
    ck_assert_msg(strcmp(text, node->told) == 0, "the engine shows %s, and last reported %s", text, node->told);
}

static void happened(void *arg, enum hf_manifest_notice notice, const char *entry, const char *text)
{
    struct node *node = arg;

    (void)entry;
    node->empty_notices += notice == HF_MANIFEST_NOTICE_DRIFT_REPAIRED && strstr(text, "sub/x") == NULL;
    node->notices[notice]++;
}

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

static bool ask_trust(void *arg, const struct hf_manifest *entry, enum hf_manifest_reason *ret_reason,
                      struct hf_err *err)
{
    (void)arg, (void)entry, (void)err;
    *ret_reason = HF_MANIFEST_REASON_SIGNATURE_INVALID;
    return faults.trust_signed == 1;
}

/* ---- the node ---------------------------------------------------------------------------------------------------- */

void node_tell(struct node *node)
{
    node->desired.policy = node->policy;
    node->desired.config = node->config;
    ck_assert_int_eq(hf_manifest_engine_set(node->engine, &node->desired, NULL), 0);
}

void node_set_policy(struct node *node, const char *manifests)
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

void node_allow_prune(struct node *node, const char *digest)
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

void node_boot(struct node *node)
{
    struct hf_simhost_world host = {
        .arg = node, .exec = run, .connect = accept_all, .restart = restart, .reload = reload, .state = state};

    node->proc = hf_simproc_new(node->loop, "agent");
    node->host = hf_simhost_new(node->proc, &host);
    node->client = hf_simnet_client(node->net, node->proc);
    struct hf_manifest_engine_params params = {.env = {.world = hf_simproc_world(node->proc, fs_of(node)),
                                                       .http = hf_simclient_ops(node->client),
                                                       .proc = proc_of(node),
                                                       .probe = hf_simhost_probe(node->host),
                                                       .unit = hf_simhost_unit(node->host),
                                                       .watch = node->watch.add != NULL ? &node->watch : NULL,
                                                       .link = link_gate,
                                                       .link_arg = node,
                                                       .static_pod_health = true,
                                                       .config = node->config,
                                                       .state_dir = NODE_STATE,
                                                       .node_name = "n1",
                                                       .retry_base_ns = HF_NS_PER_S,
                                                       .retry_cap_ns = 10 * HF_NS_PER_S},
                                               .is_signed = faults.trust_signed >= 0 ? ask_trust : NULL,
                                               .changed = changed,
                                               .happened = happened,
                                               .arg = node};
    params.env.world.sched = sched_of(node);
    if (hf_manifest_engine_new(&params, &node->engine, NULL) < 0) {
        node->engine = NULL;
        return;
    }
    hf_manifest_engine_repair_now(node->engine);
    node_tell(node);
}

void node_shut_down(struct node *node)
{
    hf_manifest_engine_free(node->engine);
    node->engine = NULL;
    node->told[0] = '\0';
    while (hf_simproc_jobs(node->proc) > 0 && hf_simloop_step(node->loop))
        ;
    hf_simclient_free(node->client);
    hf_simhost_free(node->host);
    hf_simproc_free(node->proc);
    node->proc = NULL;
}

struct node *node_begin(const char *manifests, uint64_t seed)
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
    node_set_policy(node, manifests);
    hf_simfs_mkdir(node->fs, "/etc/app", 0755);
    hf_simfs_mkdir(node->fs, "/etc/pods", 0755);
    hf_simfs_mkdir(node->fs, NODE_STATE, 0700);
    return node;
}

void node_end(struct node *node)
{
    if (node->proc != NULL)
        node_shut_down(node);
    ck_assert_uint_eq(hf_simfs_open_fds(node->fs), 0);
    hf_syncpolicy_free(node->policy);
    hf_config_free(node->config);
    hf_simfs_free(node->fs);
    hf_simnet_free(node->net);
    hf_simloop_free(node->loop);
    free(node);
}

void node_intervals(struct node *node, unsigned n)
{
    for (unsigned i = 0; i < n && !hf_simfs_stopped(node->fs); i++) {
        hf_manifest_engine_check(node->engine);
        node_tell(node);
        (void)hf_simloop_run_for(node->loop, 10 * HF_NS_PER_S);
        expect_told(node);
    }
}

void node_see(void *arg, const struct hf_manifest_status *status)
{
    struct seen *seen = arg;

    if (strcmp(status->name, "app") != 0)
        return;
    seen->there = true;
    seen->status = *status;
    (void)snprintf(seen->message, sizeof(seen->message), "%s", status->message);
}

struct seen node_look(struct node *node)
{
    struct seen seen = {.there = false};

    hf_manifest_engine_each(node->engine, node_see, &seen);
    ck_assert(seen.there);
    return seen;
}

void node_expect(struct node *node, enum hf_manifest_phase phase, enum hf_manifest_reason reason, const char *when)
{
    struct seen seen = node_look(node);

    ck_assert_msg(seen.status.phase == phase && seen.status.reason == reason, "%s: %s %s: %s", when,
                  hf_manifest_phase_name(seen.status.phase), hf_manifest_reason_name(seen.status.reason), seen.message);
}

struct node *node_begin_applied(const char *manifests, uint64_t seed)
{
    struct node *node = node_begin(manifests, seed);

    node_put(node, "/media/usb/a", "one");
    node_boot(node);
    node_intervals(node, 4);
    node_expect(node, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_APPLIED, "first");
    return node;
}

void node_kill(struct node *node)
{
    hf_simproc_kill(node->proc);
    node_shut_down(node);
    hf_simfs_kill(node->fs);
}

void node_power_cut(struct node *node, uint64_t seed)
{
    node_kill(node);
    hf_simfs_power_cut(node->fs, seed);
}
