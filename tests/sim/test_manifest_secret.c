/* SPDX-License-Identifier: Apache-2.0 */
/* An entry of spec.manifests from a Secret, on virtual time: the agent is killed, or the power cut, at every single
 * write, while versions of the Secret come, go, and do not pass. The power cut empties the memory in which the files
 * are.
 *
 * In the end: exactly the files of the version that is right, a version that nobody accepted never in place, nothing of
 * a content in the state folder, no file of our own beside the target, and few requests for the Secret. */
#include <errno.h>
#include <string.h>

#include "base/encoding/base64.h"
#include "kube/kube.h"
#include "loop/proc.h"
#include "loop/unit.h"
#include "manifests/engine.h"
#include "manifests/source/bundle.h"
#include "support/check_main.h"
#include "support/fakes/apiserver_sim.h"
#include "support/fakes/simfs.h"
#include "support/fakes/simhost.h"
#include "support/fakes/simloop.h"
#include "support/fakes/simwalk.h"
#include "tpm/helper.h"

#define STATE "/var/lib/holdfast"
#define TARGET "/run/app"
#define MARK "geheim-"
#define TPM_PROGRAM "/usr/bin/holdfast-tpm"

enum { MAX_FILES = 6 };

/* What the Secret has, one letter for each key: "ab" has the keys a and b. The contents name the version. */
struct version {
    const char *keys, *text; /* text: NULL for a Secret that is deleted */
};

struct scenario {
    const char *name, *fields;    /* of the entry, beside name, from, to and path */
    struct version first, then;   /* the first one is applied without faults; the kill comes while the second one is */
    struct version after;         /* comes while the agent is dead; no text: nothing does */
    const char *end, *end_keys;   /* what is in place at last */
    const char *or_end, *or_keys; /* the same where the agent had nothing to go back to */
    enum hf_manifest_phase phase;
};

#define UNIT "\"restart\":{\"systemdUnit\":\"app.service\"}"
#define VALIDATE "\"validate\":{\"command\":[\"/usr/bin/check\",\"{}\"]}"

static const struct scenario scenarios[] = {
    {"rotation", UNIT, {"abc", "one"}, {"abc", "two"}, {NULL, NULL}, "two", "abc", NULL, NULL, HF_MANIFEST_APPLIED},
    {"two rotations",
     UNIT,
     {"abc", "one"},
     {"abc", "two"},
     {"abc", "three"},
     "three",
     "abc",
     NULL,
     NULL,
     HF_MANIFEST_APPLIED},
    {"validated",
     VALIDATE,
     {"abc", "one"},
     {"abc", "two"},
     {"abc", "three"},
     "three",
     "abc",
     NULL,
     NULL,
     HF_MANIFEST_APPLIED},
    {"prune",
     UNIT ",\"prune\":true",
     {"abcd", "one"},
     {"abc", "two"},
     {"abce", "three"},
     "three",
     "abce",
     NULL,
     NULL,
     HF_MANIFEST_APPLIED},
    {"the unit fails",
     UNIT,
     {"abc", "one"},
     {"abc", "broken"},
     {NULL, NULL},
     "one",
     "abc",
     "broken",
     "abc",
     HF_MANIFEST_ROLLED_BACK},
};

struct node {
    const struct scenario *scenario;
    struct hf_simloop *loop;
    struct hf_simnet *net;
    struct hf_simapi *api;
    struct hf_simfs *fs;
    struct hf_config *config;
    struct hf_syncpolicy *policy;
    const struct hf_fs_ops *inner;
    struct hf_fs_ops ops;
    /* one process */
    struct hf_simproc *proc;
    struct hf_simhost *host;
    struct hf_simclient *client;
    struct hf_kube_config kube_config;
    struct hf_kube *kube;
    struct hf_manifest_engine *engine;
    bool tpm;         /* the node has a TPM */
    bool hangs;       /* no restart of the unit ends */
    bool held;        /* the site's own hold is in force */
    bool left;        /* no policy has the entry */
    char allowed[13]; /* first digits of the digest that the annotation allow-prune names; "" for none */
    unsigned restarts, validations, statuses;
    char status[800], when[100];
};

/* ---- the node -------------------------------------------------------------------------------------------------------- */

/* NULL: everything is in memory; otherwise what is below its /run, once that is mounted. */
static struct hf_simfs *memory_of;
static bool not_mounted;

static int is_memory(void *ctx, int fd)
{
    struct stat st, run;

    (void)ctx;
    if (memory_of == NULL)
        return 1;
    const struct hf_fs_ops *fs = hf_simfs_ops(memory_of);
    return !not_mounted && fs->fstat(fs->ctx, fd, &st) == 0 && hf_simfs_stat(memory_of, "/run", &run) &&
           st.st_dev == run.st_dev;
}

static int (*real_unlinkat)(void *ctx, int dirfd, const char *path, int flags);
static const char *immutable; /* name of files that nobody may remove; NULL for none */

static int remove_unless_immutable(void *ctx, int dirfd, const char *path, int flags)
{
    if (immutable != NULL && strcmp(path, immutable) == 0)
        return -EPERM;
    return real_unlinkat(ctx, dirfd, path, flags);
}

static bool holds(struct node *node, const char *path, const char *whole)
{
    size_t n = 0;
    const char *bytes = hf_simfs_get(node->fs, path, &n);

    return bytes != NULL && n == strlen(whole) && memcmp(bytes, whole, n) == 0;
}

static bool has(struct node *node, const char *path, const char *text)
{
    char whole[64];
    size_t n;

    (void)snprintf(whole, sizeof(whole), MARK "%s", text != NULL ? text : "");
    return text == NULL ? hf_simfs_get(node->fs, path, &n) == NULL : holds(node, path, whole);
}

static bool file_has(struct node *node, char key, const char *text)
{
    char path[64];

    (void)snprintf(path, sizeof(path), TARGET "/%c", key);
    return has(node, path, text);
}

/* ---- holdfast-tpm: `seal` keeps the key, `unseal` prints it ------------------------------------------------------- */

static struct {
    const struct hf_proc_ops *inner;
    struct hf_proc_ops ops;
    struct hf_proc_request request; /* the one in progress */
    bool opens;                     /* it is `unseal` */
    char key[200];
    bool busy;        /* the TPM gives an error */
    unsigned n_opens; /* calls of `unseal` */
} tpm;

static void tpm_done(void *arg, int r, int exit_code, struct hf_view output)
{
    const struct hf_proc_request request = tpm.request;

    (void)arg;
    if (exit_code != HF_TPM_EXIT_OK)
        output = HF_VIEW("holdfast-tpm: the chip is busy\n");
    else
        output = tpm.opens ? hf_view_of(tpm.key) : HF_VIEW("00112233\n");
    request.done(request.arg, r, exit_code, output);
}

static int spawn(void *ctx, const struct hf_proc_request *request, struct hf_proc_call **ret_call, struct hf_err *err)
{
    static const char *const argv[] = {TPM_PROGRAM, NULL};
    struct hf_proc_request copy = *request;

    if (strcmp(request->argv[0], TPM_PROGRAM) == 0) {
        tpm.request = *request;
        tpm.opens = strcmp(request->argv[1], "unseal") == 0;
        tpm.n_opens += tpm.opens;
        if (!tpm.opens)
            (void)snprintf(tpm.key, sizeof(tpm.key), "%.*s", (int)request->input.n, request->input.p);
        copy.argv = argv;
        copy.done = tpm_done;
    }
    return tpm.inner->spawn(ctx, &copy, ret_call, err);
}

static const struct hf_proc_ops *proc_of(struct node *node)
{
    tpm.inner = hf_simhost_proc(node->host);
    tpm.ops = *tpm.inner;
    tpm.ops.spawn = spawn;
    return &tpm.ops;
}

static int restart(void *arg, const char *unit)
{
    struct node *node = arg;

    ck_assert_str_eq(unit, "app.service");
    node->restarts++;
    if (node->hangs)
        return HF_SIMHOST_HANGS;
    if (holds(node, "/etc/app/a", "plain broken"))
        return -EIO;
    return file_has(node, 'a', "broken") || holds(node, TARGET "/a", "plain broken") ? -EIO : 0;
}

static int run(void *arg, const char *const *argv, int *ret_exit_code)
{
    struct node *node = arg;
    char path[200];

    if (strcmp(argv[0], TPM_PROGRAM) == 0) {
        *ret_exit_code = tpm.busy ? HF_TPM_EXIT_FAILED : HF_TPM_EXIT_OK;
        return 0;
    }
    (void)snprintf(path, sizeof(path), "%s/a", argv[1]);
    node->validations++;
    *ret_exit_code = has(node, path, "bad") ? 3 : 0;
    return 0;
}

static void publish_as(struct node *node, const char *name, const struct version *version)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(4096);
    char bytes[64];

    if (version->text == NULL)
        return;
    (void)snprintf(bytes, sizeof(bytes), MARK "%s", version->text);
    ck_assert_int_eq(hf_buf_addf(&text,
                                 "{\"apiVersion\":\"v1\",\"kind\":\"Secret\",\"metadata\":{\"name\":\"%s\","
                                 "\"namespace\":\"site\"},\"data\":{",
                                 name),
                     0);
    for (const char *key = version->keys; *key != '\0'; key++) {
        ck_assert_int_eq(hf_buf_addf(&text, "%s\"%c\":\"", key != version->keys ? "," : "", *key), 0);
        ck_assert_int_eq(hf_base64_encode(bytes, strlen(bytes), &text), 0);
        ck_assert_int_eq(hf_buf_addf(&text, "\""), 0);
    }
    ck_assert_int_eq(hf_buf_addf(&text, "}}%c", '\0'), 0);
    (void)hf_simapi_put_text(node->api, text.p);
}

static void publish(struct node *node, const struct version *version)
{
    publish_as(node, "login", version);
}

static void format(void *arg, const struct hf_manifest_status *status)
{
    (void)snprintf(arg, 800, "%s %s: %s", hf_manifest_phase_name(status->phase),
                   hf_manifest_reason_name(status->reason), status->message);
}

static void changed(void *arg)
{
    struct node *node = arg;
    char text[800] = "";

    hf_manifest_engine_each(node->engine, format, text);
    node->statuses += strcmp(text, node->status) != 0;
    memcpy(node->status, text, sizeof(text));
    ck_assert_msg(strstr(text, MARK) == NULL, "%s", text);
}

static void tell(struct node *node)
{
    static const struct hf_syncpolicy none = {.meta = {.name = "p"}};
    const struct hf_manifest_desired desired = {
        .policy = node->left ? &none : node->policy, .config = node->config, .proven = true, .held = node->held};

    ck_assert_int_eq(hf_manifest_engine_set(node->engine, &desired, NULL), 0);
}

static bool is_signed; /* the entry of the policy */

static bool ask_signed(void *arg, const struct hf_manifest *entry, enum hf_manifest_reason *ret_reason,
                       struct hf_err *err)
{
    (void)arg, (void)entry, (void)err;
    *ret_reason = HF_MANIFEST_REASON_UNSIGNED;
    return is_signed;
}

static void boot(struct node *node)
{
    struct hf_simhost_world host = {.arg = node, .exec = run, .restart = restart};

    node->proc = hf_simproc_new(node->loop, "agent");
    node->host = hf_simhost_new(node->proc, &host);
    node->client = hf_simnet_client(node->net, node->proc);
    node->kube_config = (struct hf_kube_config){.server = strdup("https://api")};
    struct hf_kube_params kube = {.config = &node->kube_config,
                                  .api = HF_KUBE_APISERVER,
                                  .field_manager = "holdfast-agent",
                                  .world = hf_simproc_world(node->proc, NULL),
                                  .http = hf_simclient_ops(node->client),
                                  .retry_cap_ns = 10 * HF_NS_PER_S};
    node->kube = hf_kube_new(&kube, NULL);
    ck_assert_ptr_nonnull(node->kube);
    struct hf_manifest_engine_params params = {.env = {.world = hf_simproc_world(node->proc, &node->ops),
                                                       .http = hf_simclient_ops(node->client),
                                                       .proc = proc_of(node),
                                                       .tpm_program = node->tpm ? TPM_PROGRAM : NULL,
                                                       .probe = hf_simhost_probe(node->host),
                                                       .unit = hf_simhost_unit(node->host),
                                                       .kube = node->kube,
                                                       .config = node->config,
                                                       .state_dir = STATE,
                                                       .node_name = "n1",
                                                       .retry_base_ns = HF_NS_PER_S,
                                                       .retry_cap_ns = 10 * HF_NS_PER_S},
                                               .is_signed = ask_signed,
                                               .changed = changed,
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
    hf_kube_free(node->kube);
    hf_kube_config_done(&node->kube_config);
    hf_simclient_free(node->client);
    hf_simhost_free(node->host);
    hf_simproc_free(node->proc);
    node->proc = NULL;
}

/* `manifests` is the text of spec.manifests. */
static void set_manifests(struct node *node, const char *manifests)
{
    struct hf_issues *issues = calloc(1, sizeof(*issues));
    json_t *json = NULL;
    char text[2048];

    (void)snprintf(
        text, sizeof(text),
        "{\"apiVersion\":\"edge.codcompass.io/v1alpha1\",\"kind\":\"SyncPolicy\",\"metadata\":{\"name\":\"p\","
        "\"annotations\":{\"edge.codcompass.io/allow-prune\":\"app:%s\"}},\"spec\":{\"manifests\":[%s]}}",
        node->allowed, manifests);
    ck_assert_int_eq(hf_json_parse(hf_view_of(text), NULL, &json, NULL), 0);
    hf_syncpolicy_free(node->policy);
    ck_assert_int_eq(hf_syncpolicy_decode(json, &node->policy, issues), 0);
    ck_assert_uint_eq(issues->n_errors, 0);
    json_decref(json);
    free(issues);
}

#define FROM_SECRET(name) "\"from\":{\"secret\":{\"namespace\":\"site\",\"name\":\"" name "\"}},"
#define FROM_PATH "\"from\":{\"path\":\"/media/usb\"},"

/* The policy has one entry, from the Secret `name`. */
static void set_policy(struct node *node, const char *name)
{
    char text[1024];

    (void)snprintf(text, sizeof(text),
                   "{\"name\":\"app\"," FROM_SECRET("%s") "\"to\":\"Files\",\"path\":\"" TARGET "/\",%s}", name,
                   node->scenario->fields);
    set_manifests(node, text);
}

/* The same entry takes its content from a folder. */
static void set_policy_from_path(struct node *node)
{
    char text[1024];

    (void)snprintf(text, sizeof(text), "{\"name\":\"app\"," FROM_PATH "\"to\":\"Files\",\"path\":\"" TARGET "/\",%s}",
                   node->scenario->fields);
    set_manifests(node, text);
}

static struct node *begin(const struct scenario *scenario, uint64_t seed)
{
    static const char config[] =
        "apiVersion: edge.codcompass.io/v1alpha1\nkind: AgentConfiguration\n"
        "manifests:\n  secrets: [/run/**]\n  files: [/run/**, /etc/app/**]\n  paths: [/media/**]\n"
        "  units: [app.service]\n  exec: [/usr/bin/check]\n"
        "tpm: {tcti: \"swtpm:path=/run/tpm\"}\n";
    struct node *node = calloc(1, sizeof(*node));

    tpm.busy = false;
    tpm.n_opens = 0;
    node->scenario = scenario;
    node->loop = hf_simloop_new(seed);
    node->net = hf_simnet_new(node->loop);
    node->api = hf_simapi_new(node->loop, node->net, "https://api");
    node->fs = hf_simfs_new();
    node->inner = hf_simfs_ops(node->fs);
    node->ops = *node->inner;
    node->ops.is_memory = is_memory;
    node->ops.unlinkat = remove_unless_immutable;
    real_unlinkat = node->inner->unlinkat;
    ck_assert_int_eq(hf_config_parse(HF_VIEW(config), "agent.yaml", &node->config, NULL), 0);
    ck_assert_uint_eq(hf_config_n_faults(node->config), 0);
    set_policy(node, "login");
    hf_simfs_mkdir(node->fs, "/run", 0755);
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
    hf_simapi_free(node->api);
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

static void see(void *arg, const struct hf_manifest_status *status)
{
    *(struct hf_manifest_status *)arg = *status;
}

static void expect(struct node *node, enum hf_manifest_phase phase)
{
    struct hf_manifest_status status = {.name = NULL};

    hf_manifest_engine_each(node->engine, see, &status);
    ck_assert_msg(status.phase == phase, "%s: %s %s: %s", node->when, hf_manifest_phase_name(status.phase),
                  hf_manifest_reason_name(status.reason), status.message);
}

/* ---- faults ---------------------------------------------------------------------------------------------------------- */

struct visit {
    struct node *node;
    char paths[64][200];
    size_t n;
};

static void collect(void *arg, const char *path, const struct stat *st)
{
    struct visit *visit = arg;

    (void)st;
    ck_assert_uint_lt(visit->n, HF_LEN(visit->paths));
    (void)snprintf(visit->paths[visit->n++], sizeof(visit->paths[0]), "%s", path);
}

static void empty_memory(struct node *node)
{
    struct visit visit = {.node = node};

    hf_simfs_walk(node->fs, "/run", collect, &visit);
    for (size_t i = visit.n; i > 0; i--)
        if (strcmp(visit.paths[i - 1], "/run") != 0)
            hf_simfs_delete(node->fs, visit.paths[i - 1]);
}

static void no_leak(void *arg, const char *path, const struct stat *st)
{
    const struct visit *visit = arg;
    size_t n = 0;
    const char *bytes = S_ISREG(st->st_mode) ? hf_simfs_get(visit->node->fs, path, &n) : NULL;

    ck_assert_msg(bytes == NULL || memmem(bytes, n, MARK, strlen(MARK)) == NULL, "%s: '%s' has the secret",
                  visit->node->when, path);
}

enum fault { KILL, POWER_CUT, FAULTS };

static void fault(struct node *node, enum fault kind, uint64_t seed)
{
    struct visit visit = {.node = node};

    hf_simproc_kill(node->proc);
    shut_down(node);
    hf_simfs_kill(node->fs);
    if (kind == POWER_CUT) {
        hf_simfs_power_cut(node->fs, seed);
        empty_memory(node);
    }
    hf_simfs_walk(node->fs, STATE, no_leak, &visit);
}

static bool is_exactly(struct node *node, const char *keys, const char *text)
{
    struct visit visit = {.node = node};

    hf_simfs_walk(node->fs, "/run", collect, &visit);
    for (const char *key = keys; *key != '\0'; key++)
        if (!file_has(node, *key, text))
            return false;
    return visit.n == strlen(keys) + 1; /* and the folder */
}

/* A power cut after a failed check leaves nothing to go back to, and only the version that failed: no file, then. */
static void check_end(struct node *node, const struct scenario *s, enum fault kind)
{
    struct visit visit = {.node = node};
    struct stat st;
    bool none = kind == POWER_CUT && s->or_end != NULL && !hf_simfs_stat(node->fs, TARGET, &st);

    if (!none && !is_exactly(node, s->end_keys, s->end) &&
        (s->or_end == NULL || !is_exactly(node, s->or_keys, s->or_end))) {
        hf_simfs_walk(node->fs, "/run", collect, &visit);
        for (size_t i = 0; i < visit.n; i++) {
            size_t n = 0;
            const char *bytes = hf_simfs_get(node->fs, visit.paths[i], &n);
            fprintf(stderr, "%s: %.*s\n", visit.paths[i], bytes != NULL ? (int)n : 0, bytes != NULL ? bytes : "");
        }
        ck_abort_msg("%s: other files: %s", node->when, node->status);
    }
    visit.n = 0;
    hf_simfs_walk(node->fs, STATE, no_leak, &visit);
}

static unsigned requests(struct node *node)
{
    const struct hf_simapi_counts *counts = hf_simapi_counts(node->api);

    return counts->lists + counts->watchlists + counts->watches;
}

/* A walk through the writes of a story. Kinds of one test go to different places. */
static struct hf_simwalk walk_of(const char *test, int kind, char name[static 80])
{
    (void)snprintf(name, 80, "secret, %s, %d", test, kind);
    return (struct hf_simwalk){.name = name};
}

/* The story was about as long as it was when the test was written: a whole walk had n places. */
static void had(const struct hf_simwalk *walk, uint64_t n)
{
    ck_assert_uint_ge(walk->places, hf_walk_is_whole() ? n : 1);
}

/* The version that the source has after the fault does not pass `validate`. */
static void invalid_at(struct hf_simwalk *walk, enum fault kind)
{
    static const struct scenario s = {.name = "invalid", .fields = VALIDATE};
    static const struct version one = {"abc", "one"}, two = {"abc", "two"}, bad = {"abc", "bad"},
                                three = {"abd", "three"};
    uint64_t n = walk->at;
    struct node *node = begin(&s, 5000 + n);

    (void)snprintf(node->when, sizeof(node->when), "invalid, %s at %u", kind == KILL ? "kill" : "power cut",
                   (unsigned)n);
    publish(node, &one);
    boot(node);
    intervals(node, 3);
    publish(node, &two);
    hf_simfs_count_only(node->fs, HF_SIMFS_WRITES);
    hf_simfs_stop_at(node->fs, n);
    intervals(node, 4);
    bool stopped = hf_simwalk_saw(walk, node->fs);
    if (stopped) {
        fault(node, kind, n);
        publish(node, &bad);
        node->validations = 0;
        boot(node);
        intervals(node, 20);
        ck_assert_msg(node->validations <= 2, "%s: %u validations", node->when, node->validations);
        for (const char *key = "abc"; *key != '\0'; key++)
            ck_assert_msg(!file_has(node, *key, "bad"), "%s: '%c' is bad: %s", node->when, *key, node->status);
        ck_assert_msg(strstr(node->status, "ValidateFailed") != NULL ||
                          (kind == POWER_CUT && strstr(node->status, "SecretAbsent") != NULL),
                      "%s: %s", node->when, node->status);
    }
    hf_simfs_stop_at(node->fs, 0);
    publish(node, &three);
    intervals(node, 6);
    expect(node, HF_MANIFEST_APPLIED);
    ck_assert_msg(file_has(node, 'd', "three"), "%s: %s", node->when, node->status);
    end(node);
}

START_TEST(each_version_is_validated)
{
    char name[80];
    struct hf_simwalk walk = walk_of("invalid_at", _i, name);

    while (hf_simwalk_next(&walk))
        invalid_at(&walk, (enum fault)_i);
    had(&walk, 10);
}
END_TEST

/* `away`: the API server does not answer for a while after the fault. */
static void at(const struct scenario *s, struct hf_simwalk *walk, enum fault kind, bool away)
{
    uint64_t n = walk->at;
    struct node *node = begin(s, 1000 * n + kind);

    (void)snprintf(node->when, sizeof(node->when), "%s, %s at %u%s", s->name, kind == KILL ? "kill" : "power cut",
                   (unsigned)n, away ? ", away" : "");
    publish(node, &s->first);
    boot(node);
    intervals(node, 3);
    expect(node, HF_MANIFEST_APPLIED);
    ck_assert_msg(is_exactly(node, s->first.keys, s->first.text), "%s: first", node->when);
    publish(node, &s->then);
    hf_simfs_count_only(node->fs, HF_SIMFS_WRITES);
    hf_simfs_stop_at(node->fs, n);
    intervals(node, 4);
    bool stopped = hf_simwalk_saw(walk, node->fs);
    if (stopped) {
        fault(node, kind, n);
        publish(node, &s->after);
        hf_simnet_set_server(node->net, "https://api", away ? HF_SIM_SERVER_REFUSING : HF_SIM_SERVER_UP);
        unsigned before = requests(node);
        boot(node);
        ck_assert_ptr_nonnull(node->engine);
        if (away)
            intervals(node, 3);
        hf_simnet_set_server(node->net, "https://api", HF_SIM_SERVER_UP);
        intervals(node, 12);
        ck_assert_msg(requests(node) - before < 40, "%s: %u requests", node->when, requests(node) - before);
    } else {
        hf_simfs_stop_at(node->fs, 0);
        publish(node, &s->after);
        intervals(node, 6);
    }
    expect(node, s->phase);
    check_end(node, s, kind);
    unsigned statuses = node->statuses, before = requests(node);
    intervals(node, 10);
    ck_assert_msg(node->statuses == statuses, "%s: %u statuses: %s", node->when, node->statuses - statuses,
                  node->status);
    ck_assert_msg(requests(node) - before < 15, "%s: %u requests at rest", node->when, requests(node) - before);
    end(node);
}

START_TEST(ends_at_any_write)
{
    for (unsigned kind = 0; kind < FAULTS; kind++)
        for (unsigned away = 0; away < 2; away++) {
            char name[80];
            struct hf_simwalk walk = walk_of(scenarios[_i].name, (int)(2 * kind + away), name);
            while (hf_simwalk_next(&walk))
                at(&scenarios[_i], &walk, (enum fault)kind, away == 1);
            had(&walk, 10);
        }
}
END_TEST

/* A file of somebody else is as the new version wants it already. The rollback leaves it to its owner. */
START_TEST(adopted_file_stays)
{
    static const struct scenario s = {.name = "adopted", .fields = "\"prune\":true," UNIT};
    static const struct version one = {"b", "one"}, broken = {"a", "broken"};
    struct node *node = begin(&s, 77);

    (void)snprintf(node->when, sizeof(node->when), "adopted");
    publish(node, &one);
    boot(node);
    intervals(node, 3);
    expect(node, HF_MANIFEST_APPLIED);
    hf_simfs_put(node->fs, TARGET "/a", MARK "broken", strlen(MARK "broken"), 0400);
    publish(node, &broken);
    intervals(node, 6);
    expect(node, HF_MANIFEST_ROLLED_BACK);
    ck_assert_uint_eq(node->restarts, 3);
    ck_assert_msg(file_has(node, 'a', "broken"), "the file of somebody else is gone");
    ck_assert(file_has(node, 'b', "one"));
    end(node);
}
END_TEST

/* ---- another source ---------------------------------------------------------------------------------------------- */

static void put_in_source(struct node *node, const char *name, const char *text)
{
    char path[64];

    (void)snprintf(path, sizeof(path), "/media/usb/%s", name);
    hf_simfs_put(node->fs, path, text, strlen(text), 0644);
}

enum { HAS_TPM = 1, DIES = 2 };

/* An entry takes its content from a folder instead of a Secret, and that content fails. The files of the Secret come
 * back: out of the memory, or out of the sealed copy if the agent has died. If nobody has them, the status says so. */
START_TEST(secret_comes_back_after_another_source)
{
    static const struct scenario s = {.name = "another source", .fields = "\"prune\":true," UNIT};
    static const struct version one = {"abc", "one"};
    bool dies = (_i & DIES) != 0, lost = dies && (_i & HAS_TPM) == 0;
    struct node *node = begin(&s, 90 + (unsigned)_i);
    struct visit visit = {.node = node};
    size_t n;

    (void)snprintf(node->when, sizeof(node->when), "case %d", _i);
    node->tpm = (_i & HAS_TPM) != 0;
    publish(node, &one);
    boot(node);
    intervals(node, 3);
    expect(node, HF_MANIFEST_APPLIED);
    put_in_source(node, "a", "plain broken");
    put_in_source(node, "b", "plain");
    set_policy_from_path(node);
    node->hangs = dies;
    intervals(node, dies ? 2 : 6);
    if (dies) {
        expect(node, HF_MANIFEST_PROBATION);
        fault(node, KILL, 1);
        node->hangs = false;
        boot(node);
        intervals(node, 6);
    }
    expect(node, HF_MANIFEST_ROLLED_BACK);
    bool says = strstr(node->status, "earlier files are no longer known") != NULL;
    const char *record = hf_simfs_get(node->fs, STATE "/manifests/app/record", &n);
    bool unproven = memmem(record, n, "\"unproven\":true", 15) != NULL;
    ck_assert_msg(says == lost && unproven == lost, "%s: %s", node->when, node->status);
    if (lost)
        ck_assert(holds(node, TARGET "/a", "plain broken"));
    else
        ck_assert_msg(is_exactly(node, "abc", "one"), "%s: %s", node->when, node->status);
    hf_simfs_walk(node->fs, STATE, no_leak, &visit);
    put_in_source(node, "a", "plain good");
    intervals(node, 6);
    expect(node, HF_MANIFEST_APPLIED);
    ck_assert(holds(node, TARGET "/a", "plain good") && holds(node, TARGET "/b", "plain"));
    ck_assert(has(node, TARGET "/c", NULL));
    end(node);
}
END_TEST

/* Power is cut in a swap, and after the boot the tmpfs is mounted late: the entry waits for it. */
START_TEST(secret_waits_for_its_file_system)
{
    static const struct scenario late = {.name = "late mount", .fields = UNIT};
    static const struct version one = {"abc", "one"}, two = {"abc", "two"};
    char name[80];
    struct hf_simwalk walk = walk_of(late.name, 0, name);

    while (hf_simwalk_next(&walk)) {
        uint64_t n = walk.at;
        struct node *node = begin(&late, 4000); /* the same story each time, so that no short one ends the walk */
        hf_simfs_mkdir(node->fs, "/etc", 0755);
        hf_simfs_mount(node->fs, "/run");
        memory_of = node->fs;
        publish(node, &one);
        boot(node);
        intervals(node, 3);
        publish(node, &two);
        hf_simfs_count_only(node->fs, HF_SIMFS_WRITES);
        hf_simfs_stop_at(node->fs, n);
        intervals(node, 4);
        if (hf_simwalk_saw(&walk, node->fs)) {
            fault(node, POWER_CUT, n);
            not_mounted = true;
            boot(node);
            unsigned before = requests(node);
            intervals(node, 30);
            unsigned asked = requests(node) - before; /* each interval asks, and none twice for what cannot be placed */
            ck_assert_msg(asked <= 120, "cut at %u: %u requests in 30 intervals", (unsigned)n, asked);
            not_mounted = false;
            intervals(node, 30);
            ck_assert_msg(is_exactly(node, "abc", "two"), "cut at %u: %s", (unsigned)n, node->status);
        } else {
            hf_simfs_stop_at(node->fs, 0);
        }
        memory_of = NULL;
        end(node);
    }
    had(&walk, 10);
}
END_TEST

/* The set that failed replaced somebody's file on a disk, and the good set's files are in memory: both come back. */
START_TEST(secret_and_a_file_of_a_disk_come_back)
{
    static const struct scenario kinds[] = {{.name = "another path", .fields = UNIT},
                                            {.name = "another path", .fields = "\"prune\":true," UNIT}};
    static const struct version one = {"abc", "one"};
    struct node *node = begin(&kinds[_i], 990);
    char text[1024];

    hf_simfs_mkdir(node->fs, "/etc", 0755);
    hf_simfs_mkdir(node->fs, "/etc/app", 0755);
    hf_simfs_put(node->fs, "/etc/app/a", "theirs", 6, 0644);
    hf_simfs_mount(node->fs, "/run");
    memory_of = node->fs;
    publish(node, &one);
    boot(node);
    intervals(node, 3);
    expect(node, HF_MANIFEST_APPLIED);
    put_in_source(node, "a", "plain broken");
    (void)snprintf(text, sizeof(text),
                   "{\"name\":\"app\"," FROM_PATH "\"to\":\"Files\",\"force\":true,\"path\":\"/etc/app/\",%s}",
                   node->scenario->fields);
    set_manifests(node, text);
    if (_i == 1) { /* a person allows that all files of the good set go */
        struct hf_manifest_status status = {.name = NULL};
        intervals(node, 4);
        hf_manifest_engine_each(node->engine, see, &status);
        (void)snprintf(node->allowed, sizeof(node->allowed), "%.12s", status.digest);
        set_manifests(node, text);
    }
    intervals(node, 60);
    expect(node, HF_MANIFEST_ROLLED_BACK);
    ck_assert(is_exactly(node, "abc", "one") && holds(node, "/etc/app/a", "theirs"));
    memory_of = NULL;
    end(node);
}
END_TEST

/* The same wherever the agent dies, with a sealed copy. A power cut empties the memory, so the failed content has to be
 * in place again before anything judges it. */
static void another_source_at(struct hf_simwalk *walk, enum fault kind)
{
    static const struct scenario s = {.name = "another source", .fields = "\"prune\":true," UNIT};
    static const struct version one = {"abc", "one"};
    uint64_t n = walk->at;
    struct node *node = begin(&s, 3000 + n);

    (void)snprintf(node->when, sizeof(node->when), "%s at %u", kind == KILL ? "kill" : "power cut", (unsigned)n);
    node->tpm = true;
    publish(node, &one);
    boot(node);
    intervals(node, 3);
    expect(node, HF_MANIFEST_APPLIED);
    put_in_source(node, "a", "plain broken");
    put_in_source(node, "b", "plain");
    set_policy_from_path(node);
    hf_simfs_count_only(node->fs, HF_SIMFS_WRITES);
    hf_simfs_stop_at(node->fs, n);
    intervals(node, 4);
    bool stopped = hf_simwalk_saw(walk, node->fs);
    if (stopped) {
        fault(node, kind, n);
        boot(node);
        intervals(node, 12);
    }
    hf_simfs_stop_at(node->fs, 0);
    expect(node, HF_MANIFEST_ROLLED_BACK);
    ck_assert_msg(is_exactly(node, "abc", "one"), "%s: %s", node->when, node->status);
    end(node);
}

START_TEST(secret_comes_back_wherever_the_agent_dies)
{
    char name[80];
    struct hf_simwalk walk = walk_of("another_source_at", _i, name);

    while (hf_simwalk_next(&walk))
        another_source_at(&walk, (enum fault)_i);
    had(&walk, 10);
}
END_TEST

/* The other way round: a Secret fails in place of a folder's content, which is on disk. This content comes back
 * although the agent has died, and the status does not deny it. */
START_TEST(content_comes_back_after_a_secret)
{
    static const struct scenario s = {.name = "a Secret fails", .fields = "\"prune\":true," UNIT};
    static const struct version broken = {"ac", "broken"};
    bool dies = _i == 1;
    struct node *node = begin(&s, 95 + (unsigned)_i);

    (void)snprintf(node->when, sizeof(node->when), "case %d", _i);
    put_in_source(node, "a", "plain");
    put_in_source(node, "b", "plain");
    set_policy_from_path(node);
    boot(node);
    intervals(node, 3);
    expect(node, HF_MANIFEST_APPLIED);
    publish(node, &broken);
    set_policy(node, "login");
    node->hangs = dies;
    intervals(node, dies ? 2 : 6);
    if (dies) {
        expect(node, HF_MANIFEST_PROBATION);
        fault(node, KILL, 1);
        node->hangs = false;
        boot(node);
        intervals(node, 6);
    }
    expect(node, HF_MANIFEST_ROLLED_BACK);
    ck_assert_msg(strstr(node->status, "earlier files are no longer known") == NULL, "%s: %s", node->when,
                  node->status);
    ck_assert(holds(node, TARGET "/a", "plain") && holds(node, TARGET "/b", "plain") && has(node, TARGET "/c", NULL));
    end(node);
}
END_TEST

static unsigned backups; /* how often there were backups of the entry b */

static void look_into_backups(void *arg)
{
    struct node *node = arg;
    struct hf_bundle *bundle = NULL;

    if (hf_bundle_load(&node->ops, STATE "/manifests/b/before", &bundle, NULL) < 0)
        return;
    backups++;
    for (size_t i = 0; i < bundle->n; i++)
        ck_assert_msg(memmem(bundle->files[i].bytes.p, bundle->files[i].bytes.n, MARK, strlen(MARK)) == NULL,
                      "the secret is on disk");
    hf_bundle_free(bundle);
}

/* An entry from a folder replaces the file of a Secret with `force`: the content of the Secret never gets into the
 * state folder, where the backups are. The new file fails, so it goes back to its owner, which repairs it. */
START_TEST(backup_has_nothing_of_a_secret)
{
    static const struct scenario s = {.name = "backup", .fields = UNIT};
    static const struct version one = {"a", "one"};
    struct node *node = begin(&s, 97);

    (void)snprintf(node->when, sizeof(node->when), "backup");
    publish(node, &one);
    boot(node);
    intervals(node, 3);
    expect(node, HF_MANIFEST_APPLIED);
    put_in_source(node, "a", "plain broken");
    set_manifests(node,
                  "{\"name\":\"app\"," FROM_SECRET("login") "\"to\":\"Files\",\"path\":\"" TARGET "/\"," UNIT "},"
                                                            "{\"name\":\"b\",\"force\":true," FROM_PATH
                                                            "\"to\":\"Files\",\"path\":\"" TARGET "/\"," UNIT "}");
    hf_simloop_after_each(node->loop, look_into_backups, node);
    intervals(node, 8);
    hf_simloop_after_each(node->loop, NULL, NULL);
    expect(node, HF_MANIFEST_ROLLED_BACK); /* of b, the last one */
    ck_assert_uint_gt(backups, 0);
    ck_assert_msg(file_has(node, 'a', "one"), "%s", node->status);
    end(node);
}
END_TEST

/* ---- a copy that a TPM keeps ----------------------------------------------------------------------------------------- */

/* The first version is applied, then the second one is in place and on trial when the agent dies. */
static void die_on_trial(struct node *node, const struct version *first, const struct version *then)
{
    publish(node, first);
    boot(node);
    intervals(node, 3);
    expect(node, HF_MANIFEST_APPLIED);
    publish(node, then);
    node->hangs = true;
    intervals(node, 1);
    expect(node, HF_MANIFEST_PROBATION);
    fault(node, KILL, 1);
    node->hangs = false;
}

/* The TPM gives errors, and then it answers: the rollback has waited for it. */
START_TEST(rollback_waits_for_the_tpm)
{
    static const struct scenario s = {.name = "busy", .fields = "\"prune\":true," UNIT};
    static const struct version one = {"abc", "one"}, broken = {"abd", "broken"};
    struct node *node = begin(&s, 78);

    node->tpm = true;
    (void)snprintf(node->when, sizeof(node->when), "busy, %d times", _i);
    die_on_trial(node, &one, &broken);
    tpm.busy = true;
    boot(node);
    intervals(node, 2);
    for (int i = 1; i < _i; i++) {
        ck_assert_msg(tpm.n_opens == (unsigned)i, "%s: %u calls", node->when, tpm.n_opens);
        expect(node, HF_MANIFEST_ROLLING_BACK);
        ck_assert_msg(strstr(node->status, "SecretAbsent") != NULL && strstr(node->status, "the chip is busy") != NULL,
                      "%s: %s", node->when, node->status);
        intervals(node, 30);
    }
    expect(node, HF_MANIFEST_ROLLING_BACK);
    tpm.busy = false;
    unsigned statuses = node->statuses;
    intervals(node, 20);
    ck_assert_msg(node->statuses == statuses, "%s: %u statuses", node->when, node->statuses - statuses);
    intervals(node, 10);
    expect(node, HF_MANIFEST_ROLLED_BACK);
    ck_assert_msg(is_exactly(node, "abc", "one"), "%s: %s", node->when, node->status);
    end(node);
}
END_TEST

/* The TPM never answers again: the rollback ends, and a newer version comes. */
START_TEST(dead_tpm_keeps_nothing_out)
{
    static const struct scenario s = {.name = "dead", .fields = "\"prune\":true," UNIT};
    static const struct version one = {"abc", "one"}, broken = {"abd", "broken"}, three = {"abe", "three"};
    struct node *node = begin(&s, 79);

    node->tpm = true;
    (void)snprintf(node->when, sizeof(node->when), "dead");
    die_on_trial(node, &one, &broken);
    tpm.busy = true;
    boot(node);
    intervals(node, 200);
    expect(node, HF_MANIFEST_ROLLED_BACK);
    ck_assert_msg(strstr(node->status, "earlier files are no longer known") != NULL, "%s", node->status);
    ck_assert_uint_eq(tpm.n_opens, 6);
    ck_assert(is_exactly(node, "abd", "broken"));
    publish(node, &three);
    intervals(node, 3);
    expect(node, HF_MANIFEST_APPLIED);
    ck_assert(file_has(node, 'e', "three"));
    end(node);
}
END_TEST

/* The same after a rollback that was cut at a write, so that files of two versions may be in place. */
static void dead_at(struct hf_simwalk *walk)
{
    static const struct scenario s = {.name = "dead", .fields = "\"prune\":true," UNIT};
    static const struct version one = {"abc", "one"}, broken = {"abd", "broken"}, three = {"abe", "three"};
    uint64_t n = walk->at;
    struct node *node = begin(&s, 7000 + n);

    node->tpm = true;
    (void)snprintf(node->when, sizeof(node->when), "dead, kill at %u", (unsigned)n);
    die_on_trial(node, &one, &broken);
    hf_simfs_count_only(node->fs, HF_SIMFS_WRITES);
    hf_simfs_stop_at(node->fs, n);
    boot(node);
    intervals(node, 4);
    bool stopped = hf_simwalk_saw(walk, node->fs);
    if (stopped) {
        fault(node, KILL, n);
        tpm.busy = true;
        boot(node);
        intervals(node, 200);
    }
    hf_simfs_stop_at(node->fs, 0);
    expect(node, HF_MANIFEST_ROLLED_BACK);
    ck_assert_msg(is_exactly(node, "abc", "one") || is_exactly(node, "abd", "broken"), "%s: %s", node->when,
                  node->status);
    publish(node, &three);
    intervals(node, 3);
    expect(node, HF_MANIFEST_APPLIED);
    end(node);
}

START_TEST(dead_tpm_leaves_one_version)
{
    char name[80];
    struct hf_simwalk walk = walk_of("dead_at", 0, name);

    while (hf_simwalk_next(&walk))
        dead_at(&walk);
    had(&walk, 10);
}
END_TEST

/* The new version adopts a file of somebody else, or replaces it with `force`. Wherever the agent dies: the rollback
 * out of the sealed copy leaves that file, and removes the other new one. */
static void adopted_at(struct hf_simwalk *walk, bool force, bool power)
{
    static const struct scenario plain = {.name = "adopted", .fields = "\"prune\":true," UNIT};
    static const struct scenario forced = {.name = "replaced", .fields = "\"prune\":true,\"force\":true," UNIT};
    static const struct version one = {"b", "one"}, broken = {"abc", "broken"};
    const struct scenario *s = force ? &forced : &plain;
    const char *theirs = force ? MARK "theirs" : MARK "broken";
    uint64_t n = walk->at;
    struct node *node = begin(s, 9000 + n);

    node->tpm = true;
    (void)snprintf(node->when, sizeof(node->when), "%s, %s at %u", s->name, power ? "power cut" : "kill", (unsigned)n);
    publish(node, &one);
    boot(node);
    intervals(node, 3);
    expect(node, HF_MANIFEST_APPLIED);
    hf_simfs_put(node->fs, TARGET "/a", theirs, strlen(theirs), 0400);
    publish(node, &broken);
    hf_simfs_count_only(node->fs, HF_SIMFS_WRITES);
    hf_simfs_stop_at(node->fs, n);
    intervals(node, 4);
    bool stopped = hf_simwalk_saw(walk, node->fs);
    if (stopped) {
        fault(node, power ? POWER_CUT : KILL, n);
        boot(node);
        intervals(node, 12);
    }
    hf_simfs_stop_at(node->fs, 0);
    expect(node, HF_MANIFEST_ROLLED_BACK);
    if (power && stopped) { /* that file was in memory, too */
        ck_assert_msg(is_exactly(node, "b", "one"), "%s: %s", node->when, node->status);
        end(node);
        return;
    }
    ck_assert_msg(file_has(node, 'a', theirs + strlen(MARK)) || (force && file_has(node, 'a', "broken")),
                  "%s: the file of somebody else is gone: %s", node->when, node->status);
    ck_assert_msg(file_has(node, 'b', "one") && file_has(node, 'c', NULL), "%s: %s", node->when, node->status);
    end(node);
}

START_TEST(adopted_file_stays_without_memory)
{
    char name[80];
    struct hf_simwalk walk = walk_of("adopted_at", _i, name);

    while (hf_simwalk_next(&walk))
        adopted_at(&walk, _i % 2 == 1, _i / 2 == 1);
    had(&walk, 10);
}
END_TEST

/* The record is lost with the agent, so nobody knows what was good. What the newest version has replaced was read before
 * that, and comes back. */
START_TEST(kept_content_comes_back_without_the_record)
{
    static const struct scenario s = {.name = "record", .fields = "\"prune\":true," UNIT};
    static const struct version one = {"abc", "one"}, broken = {"abd", "broken"};
    struct node *node = begin(&s, 80);

    (void)snprintf(node->when, sizeof(node->when), "record");
    publish(node, &one);
    boot(node);
    intervals(node, 3);
    expect(node, HF_MANIFEST_APPLIED);
    fault(node, KILL, 1);
    hf_simfs_put(node->fs, STATE "/manifests/app/record", "damaged", 7, 0600);
    publish(node, &broken);
    boot(node);
    intervals(node, 6);
    expect(node, HF_MANIFEST_ROLLED_BACK);
    for (const char *key = "abc"; *key != '\0'; key++)
        ck_assert_msg(file_has(node, *key, "one"), "%c: %s", *key, node->status);
    ck_assert(file_has(node, 'd', "broken")); /* nothing is removed on doubtful evidence */
    publish(node, &one);
    intervals(node, 3);
    expect(node, HF_MANIFEST_APPLIED);
    ck_assert_msg(is_exactly(node, "abc", "one"), "%s", node->status);
    end(node);
}
END_TEST

/* A newer version, or a change of the entry alone, waits for the end of a hold, and somebody removes a file of the
 * version in place: the TPM has it, and no interval is needed between the look and the repair. */
START_TEST(tpm_repairs_while_a_version_waits)
{
    static const struct scenario s = {.name = "held", .fields = "\"prune\":true"};
    static const struct scenario changed_entry = {.name = "held", .fields = "\"prune\":true,\"mode\":\"0440\""};
    static const struct version one = {"abc", "one"}, two = {"abc", "two"};
    struct node *node = begin(&s, 90);

    node->tpm = true;
    publish(node, &one);
    boot(node);
    intervals(node, 3);
    expect(node, HF_MANIFEST_APPLIED);
    node->held = true;
    if (_i == 0) {
        publish(node, &two);
    } else {
        node->scenario = &changed_entry;
        set_policy(node, "login");
    }
    intervals(node, 3);
    expect(node, HF_MANIFEST_WAITING);
    if (_i == 1) { /* the API server must not deliver the content again */
        fault(node, KILL, 1);
        hf_simnet_set_server(node->net, "https://api", HF_SIM_SERVER_REFUSING);
        boot(node);
        intervals(node, 3);
    }
    hf_simfs_delete(node->fs, TARGET "/c");
    intervals(node, 1);
    (void)hf_simloop_run_for(node->loop, 60 * HF_NS_PER_S);
    ck_assert_msg(is_exactly(node, "abc", "one"), "%s", node->status);
    node->held = false;
    hf_simnet_set_server(node->net, "https://api", HF_SIM_SERVER_UP);
    intervals(node, 3);
    expect(node, HF_MANIFEST_APPLIED);
    ck_assert_msg(is_exactly(node, "abc", _i == 0 ? "two" : "one"), "%s", node->status);
    end(node);
}
END_TEST

/* The agent dies while it puts a version in place, and no policy has the entry then, while a hold stops the removal. The
 * sealed copy of the good version must not take the mixture for drift, and forget the newer version's files: they go
 * when the entry is back, with a version that lacks them. */
static void leave_after(struct hf_simwalk *walk)
{
    static const struct scenario s = {.name = "left", .fields = "\"prune\":true"};
    static const struct version one = {"abc", "one"}, two = {"abcd", "two"}, three = {"abc", "three"};
    uint64_t n = walk->at;
    struct node *node = begin(&s, 9800 + n);

    node->tpm = true;
    publish(node, &one);
    boot(node);
    intervals(node, 3);
    expect(node, HF_MANIFEST_APPLIED);
    publish(node, &two);
    hf_simfs_count_only(node->fs, HF_SIMFS_WRITES);
    hf_simfs_stop_at(node->fs, n);
    intervals(node, 4);
    bool stopped = hf_simwalk_saw(walk, node->fs);
    if (stopped) {
        fault(node, KILL, n);
        hf_simfs_delete(node->fs, TARGET "/a"); /* so that a look finds something */
        node->left = node->held = true;
        boot(node);
        intervals(node, 6);
        node->left = node->held = false;
        publish(node, &three);
        intervals(node, 10);
        ck_assert_msg(is_exactly(node, "abc", "three"), "cut at %u: %s", (unsigned)n, node->status);
    }
    hf_simfs_stop_at(node->fs, 0);
    end(node);
}

START_TEST(sealed_copy_repairs_no_mixture)
{
    char name[80];
    struct hf_simwalk walk = walk_of("leave_after", 0, name);

    while (hf_simwalk_next(&walk))
        leave_after(&walk);
    had(&walk, 20);
}
END_TEST

/* The agent dies while it puts a version in place, and the Secret is deleted meanwhile: with `prune` the files go, and
 * without it they stay. */
static void delete_after(struct hf_simwalk *walk, bool prune)
{
    static const struct scenario kinds[] = {{.name = "gone", .fields = "\"prune\":false"},
                                            {.name = "gone", .fields = "\"prune\":true"}};
    static const struct version one = {"a", "one"}, two = {"a", "two"};
    uint64_t n = walk->at;
    struct node *node = begin(&kinds[prune], 9500 + n);

    (void)snprintf(node->when, sizeof(node->when), "cut at %u", (unsigned)n);
    publish(node, &one);
    boot(node);
    intervals(node, 3);
    expect(node, HF_MANIFEST_APPLIED);
    publish(node, &two);
    hf_simfs_count_only(node->fs, HF_SIMFS_WRITES);
    hf_simfs_stop_at(node->fs, n);
    intervals(node, 4);
    bool stopped = hf_simwalk_saw(walk, node->fs);
    if (stopped)
        fault(node, KILL, n);
    hf_simfs_stop_at(node->fs, 0);
    ck_assert(hf_simapi_delete(node->api, "Secret", "login"));
    if (stopped)
        boot(node);
    intervals(node, 10);
    ck_assert_msg(file_has(node, 'a', NULL) == prune, "%s: %s", node->when, node->status);
    ck_assert_msg(strstr(node->status, "Applying") == NULL, "%s: %s", node->when, node->status);
    end(node);
}

START_TEST(deletion_after_a_cut)
{
    char name[80];
    struct hf_simwalk walk = walk_of("delete_after", _i, name);

    while (hf_simwalk_next(&walk))
        delete_after(&walk, _i == 1);
    had(&walk, 10);
}
END_TEST

/* The agent dies while it puts the first version in place, and the Secret is deleted meanwhile, or the entry leaves the
 * policy: with `prune` the file goes. */
static void delete_first_after(struct hf_simwalk *walk, bool leaves)
{
    static const struct scenario kind = {.name = "first", .fields = "\"prune\":true"};
    static const struct version one = {"a", "one"};
    uint64_t n = walk->at;
    struct node *node = begin(&kind, 9900 + n);

    publish(node, &one);
    hf_simfs_count_only(node->fs, HF_SIMFS_WRITES);
    hf_simfs_stop_at(node->fs, n);
    boot(node);
    intervals(node, 3);
    bool stopped = hf_simwalk_saw(walk, node->fs);
    if (stopped) {
        fault(node, KILL, n);
        if (leaves)
            node->left = true;
        else
            ck_assert(hf_simapi_delete(node->api, "Secret", "login"));
        boot(node);
        intervals(node, 10);
        ck_assert_msg(file_has(node, 'a', NULL), "cut at %u: %s", (unsigned)n, node->status);
    }
    hf_simfs_stop_at(node->fs, 0);
    end(node);
}

START_TEST(deletion_after_a_cut_of_the_first_version)
{
    char name[80];
    struct hf_simwalk walk = walk_of("delete_first_after", _i, name);

    while (hf_simwalk_next(&walk))
        delete_first_after(&walk, _i == 1);
    had(&walk, 10);
}
END_TEST

/* With `prune`, the policy names another Secret, which does not exist: that may be a slip, and the files of the first
 * one stay. When the policy names the first one again, and somebody deletes it, they go. */
START_TEST(wrong_name_revokes_nothing)
{
    static const struct scenario kind = {.name = "wrong name", .fields = "\"prune\":true"};
    static const struct version one = {"a", "one"};
    struct node *node = begin(&kind, 9600);

    publish(node, &one);
    boot(node);
    intervals(node, 3);
    set_policy(node, "logon");
    intervals(node, 5);
    ck_assert_msg(file_has(node, 'a', "one"), "%s", node->status);
    ck_assert_ptr_nonnull(strstr(node->status, "SourceGone"));
    set_policy(node, "login");
    intervals(node, 5);
    ck_assert_msg(file_has(node, 'a', "one"), "%s", node->status);
    ck_assert(hf_simapi_delete(node->api, "Secret", "login"));
    intervals(node, 5);
    ck_assert_msg(file_has(node, 'a', NULL), "%s", node->status);
    end(node);
}
END_TEST

/* The node lets only signed entries write, and an unsigned one of the same name and with `prune` takes the place of the
 * signed one. Row 0: the deletion of the Secret removes nothing. Row 1: the signed entry had `prune`, too. */
START_TEST(unsigned_entry_revokes_nothing)
{
    static const char config[] = "apiVersion: edge.codcompass.io/v1alpha1\nkind: AgentConfiguration\n"
                                 "signedPolicies: {manifests: {secrets: [/run/**]}}\n";
    static const struct scenario prunes = {.name = "unsigned", .fields = "\"prune\":true,\"mode\":\"0440\""},
                                 kinds[] = {{.name = "signed", .fields = "\"prune\":false"},
                                            {.name = "signed", .fields = "\"prune\":true"}};
    static const struct version one = {"a", "one"};
    struct node *node = begin(&kinds[_i], 9610 + (uint64_t)_i);

    hf_config_free(node->config);
    ck_assert_int_eq(hf_config_parse(HF_VIEW(config), "agent.yaml", &node->config, NULL), 0);
    ck_assert_uint_eq(hf_config_n_faults(node->config), 0);
    is_signed = true;
    publish(node, &one);
    boot(node);
    intervals(node, 3);
    expect(node, HF_MANIFEST_APPLIED);
    is_signed = false;
    node->scenario = &prunes;
    set_policy(node, "login");
    intervals(node, 3);
    expect(node, HF_MANIFEST_REFUSED);
    ck_assert(hf_simapi_delete(node->api, "Secret", "login"));
    intervals(node, 5);
    ck_assert_msg(file_has(node, 'a', _i == 0 ? "one" : NULL), "%s", node->status);
    end(node);
}
END_TEST

/* The policy names a Secret that does not exist. The sealed copy of the one before stays, and repairs its files. */
START_TEST(wrong_name_keeps_the_sealed_copy)
{
    static const struct scenario kind = {.name = "wrong name", .fields = "\"prune\":true"};
    static const struct version one = {"ab", "one"};
    struct node *node = begin(&kind, 9601);

    node->tpm = true;
    publish(node, &one);
    boot(node);
    intervals(node, 3);
    set_policy(node, "logon");
    intervals(node, 5);
    hf_simfs_delete(node->fs, TARGET "/a");
    intervals(node, 3);
    ck_assert_msg(is_exactly(node, "ab", "one"), "%s", node->status);
    end(node);
}
END_TEST

/* The Secret is deleted during a hold. Then the policy names another one: the hold ends, and the files stay. */
START_TEST(deletion_is_forgotten_with_the_name)
{
    static const struct scenario kind = {.name = "forgotten", .fields = "\"prune\":true"};
    static const struct version one = {"a", "one"};
    struct node *node = begin(&kind, 9602);

    publish(node, &one);
    boot(node);
    intervals(node, 3);
    node->held = true;
    ck_assert(hf_simapi_delete(node->api, "Secret", "login"));
    intervals(node, 3);
    ck_assert_msg(file_has(node, 'a', "one"), "%s", node->status);
    set_policy(node, "logon");
    node->held = false;
    tell(node);
    (void)hf_simloop_run_for(node->loop, 60 * HF_NS_PER_S);
    ck_assert_msg(file_has(node, 'a', "one"), "%s", node->status);
    end(node);
}
END_TEST

/* A version with the files a and b is in place. The Secret is deleted, the removal of both is allowed, and b cannot be
 * removed. */
static void begin_removal(struct node *node)
{
    static const struct version one = {"ab", "one"};
    struct hf_manifest_status status = {.name = NULL};

    publish(node, &one);
    boot(node);
    intervals(node, 3);
    hf_manifest_engine_each(node->engine, see, &status);
    (void)snprintf(node->allowed, sizeof(node->allowed), "%.12s", status.digest);
    set_policy(node, "login");
    intervals(node, 1);
    immutable = "b";
    ck_assert(hf_simapi_delete(node->api, "Secret", "login"));
    intervals(node, 3);
}

/* The Secret is deleted, and one of its files cannot be removed: the status says so, and the other one is no drift. */
START_TEST(deletion_that_has_begun_is_no_drift)
{
    static const struct scenario kind = {.name = "begun", .fields = "\"prune\":true"};
    struct node *node = begin(&kind, 9603);

    begin_removal(node);
    for (unsigned i = 0; i < 6; i++) {
        intervals(node, 1);
        ck_assert_msg(strstr(node->status, "Waiting NotAllowed") != NULL, "%s", node->status);
        ck_assert(file_has(node, 'a', NULL) && file_has(node, 'b', "one"));
    }
    immutable = NULL;
    intervals(node, 2);
    ck_assert_msg(file_has(node, 'b', NULL), "%s", node->status);
    end(node);
}
END_TEST

/* A removal has begun, and a person takes back `prune`: what is left stays, the agent does not claim that it is whole,
 * and the next version is put in place. */
START_TEST(prune_is_taken_back)
{
    static const struct scenario prunes = {.name = "taken back", .fields = "\"prune\":true"},
                                 keeps = {.name = "taken back", .fields = "\"prune\":false"};
    static const struct version two = {"ab", "two"};
    struct node *node = begin(&prunes, 9604 + (uint64_t)_i);

    begin_removal(node);
    ck_assert(file_has(node, 'a', NULL) && file_has(node, 'b', "one"));
    immutable = NULL;
    node->scenario = &keeps;
    set_policy(node, "login");
    if (_i == 1) {
        fault(node, KILL, 1);
        boot(node);
    }
    intervals(node, 6);
    ck_assert_msg(file_has(node, 'a', NULL) && file_has(node, 'b', "one"), "%s", node->status);
    ck_assert_msg(strstr(node->status, "Waiting") != NULL && strstr(node->status, "does not exist") != NULL, "%s",
                  node->status);
    publish(node, &two);
    intervals(node, 4);
    ck_assert_msg(is_exactly(node, "ab", "two"), "%s", node->status);
    expect(node, HF_MANIFEST_APPLIED);
    end(node);
}
END_TEST

enum { OTHER_IS_DELETED, NAME_IS_WRONG, NAME_IS_WRONG_AWAY, RENAMES };

/* The policy names another Secret, and the agent dies while it puts that one in place. Then that one is deleted, or the
 * policy names a third one, which does not exist, while the API server answers or not: the attempt ends. The file
 * stays, because what is proven of these Secrets says nothing about the first one. Returns false if no call was the
 * n-th one. */
static void rename_after(struct hf_simwalk *walk, int how)
{
    static const struct scenario kind = {.name = "renamed", .fields = "\"prune\":true"};
    static const struct version one = {"a", "one"}, two = {"a", "two"};
    uint64_t n = walk->at;
    struct node *node = begin(&kind, 9650 + n);

    publish(node, &one);
    publish_as(node, "second", &two);
    boot(node);
    intervals(node, 3);
    set_policy(node, "second");
    hf_simfs_count_only(node->fs, HF_SIMFS_WRITES);
    hf_simfs_stop_at(node->fs, n);
    intervals(node, 4);
    bool stopped = hf_simwalk_saw(walk, node->fs);
    if (stopped) {
        bool second = file_has(node, 'a', "two");
        fault(node, KILL, n);
        if (how == OTHER_IS_DELETED)
            ck_assert(hf_simapi_delete(node->api, "Secret", "second"));
        else
            set_policy(node, "logon");
        if (how == NAME_IS_WRONG_AWAY)
            hf_simnet_set_server(node->net, "https://api", HF_SIM_SERVER_REFUSING);
        boot(node);
        intervals(node, 10);
        ck_assert_msg(strstr(node->status, "Applying") == NULL, "%d, cut at %u: %s", how, (unsigned)n, node->status);
        ck_assert_msg(!file_has(node, 'a', NULL) || (second && how == OTHER_IS_DELETED), "%d, cut at %u: %s", how,
                      (unsigned)n, node->status);
    }
    hf_simfs_stop_at(node->fs, 0);
    end(node);
}

START_TEST(cut_with_another_name)
{
    char name[80];
    struct hf_simwalk walk = walk_of("rename_after", _i, name);

    while (hf_simwalk_next(&walk))
        rename_after(&walk, _i);
    had(&walk, 10);
}
END_TEST

/* A newer version is refused, then the Secret is deleted, and the removal waits: the status shows the digest that
 * allows it. */
START_TEST(digest_of_the_status_allows_the_removal)
{
    static const struct scenario kind = {.name = "digest", .fields = "\"prune\":true," VALIDATE};
    static const struct version one = {"ab", "one"}, bad = {"ab", "bad"};
    struct hf_manifest_status status = {.name = NULL};
    struct node *node = begin(&kind, 9700);

    publish(node, &one);
    boot(node);
    intervals(node, 3);
    publish(node, &bad);
    intervals(node, 3);
    expect(node, HF_MANIFEST_REFUSED);
    ck_assert(hf_simapi_delete(node->api, "Secret", "login"));
    intervals(node, 5);
    ck_assert_msg(is_exactly(node, "ab", "one") && strstr(node->status, "PruneLimit") != NULL, "%s", node->status);
    hf_manifest_engine_each(node->engine, see, &status);
    (void)snprintf(node->allowed, sizeof(node->allowed), "%.12s", status.digest);
    set_policy(node, "login");
    intervals(node, 2);
    ck_assert_msg(file_has(node, 'a', NULL) && file_has(node, 'b', NULL), "%s", node->status);
    end(node);
}
END_TEST

/* The agent is killed while a sick version is on trial, and somebody changes the file into one that works. */
START_TEST(secret_on_trial_after_a_kill)
{
    static const struct scenario s = {.name = "trial", .fields = "\"prune\":true," UNIT};
    static const struct version one = {"abc", "one"}, broken = {"abc", "broken"};
    struct node *node = begin(&s, 81);

    node->tpm = true;
    publish(node, &one);
    boot(node);
    intervals(node, 3);
    expect(node, HF_MANIFEST_APPLIED);
    publish(node, &broken);
    node->hangs = true;
    intervals(node, 2);
    expect(node, HF_MANIFEST_PROBATION);
    node->hangs = false;
    fault(node, KILL, 1);
    hf_simfs_put(node->fs, TARGET "/a", MARK "theirs", strlen(MARK "theirs"), 0400);
    boot(node);
    intervals(node, 30);
    ck_assert_msg(is_exactly(node, "abc", "one"), "%s", node->status);
    expect(node, HF_MANIFEST_ROLLED_BACK);
    end(node);
}
END_TEST

/* A version does not work, and its rollback has put the files back when the agent is killed, before the unit has
 * restarted with them. Without a sealed copy, nobody has the content any more, but the unit starts with it all the
 * same. Row 1: with a copy. */
START_TEST(unit_takes_up_what_a_cut_rollback_put_back)
{
    static const struct scenario s = {.name = "cut rollback", .fields = UNIT};
    static const struct version one = {"abc", "one"}, broken = {"abc", "broken"};
    struct node *node = begin(&s, 83);

    (void)snprintf(node->when, sizeof(node->when), "cut rollback");
    node->tpm = _i == 1;
    publish(node, &one);
    boot(node);
    intervals(node, 3);
    expect(node, HF_MANIFEST_APPLIED);
    publish(node, &broken);
    while (!file_has(node, 'a', "broken"))
        ck_assert(hf_simloop_step(node->loop));
    while (!is_exactly(node, "abc", "one"))
        ck_assert(hf_simloop_step(node->loop));
    node->hangs = true; /* the restart takes long */
    (void)hf_simloop_run_for(node->loop, 5 * HF_NS_PER_S);
    expect(node, HF_MANIFEST_ROLLING_BACK);
    fault(node, KILL, 1);
    node->hangs = false;
    unsigned restarts = node->restarts;
    boot(node);
    intervals(node, 30);
    expect(node, HF_MANIFEST_ROLLED_BACK);
    ck_assert_msg(is_exactly(node, "abc", "one"), "%s", node->status);
    ck_assert_msg(node->restarts > restarts, "the unit never starts with the files in place: %s", node->status);
    end(node);
}
END_TEST

/* Each start of the unit with this version kills the agent, too, as when it uses up the memory. No copy of the earlier
 * version: the rollback has nothing to go back to. It ends all the same. */
START_TEST(unit_that_kills_the_agent)
{
    static const struct scenario s = {.name = "killer", .fields = UNIT};
    static const struct version one = {"abc", "one"}, broken = {"abc", "broken"};
    struct node *node = begin(&s, 84);
    unsigned kills = 0;

    (void)snprintf(node->when, sizeof(node->when), "killer");
    publish(node, &one);
    boot(node);
    intervals(node, 3);
    expect(node, HF_MANIFEST_APPLIED);
    publish(node, &broken);
    node->hangs = true; /* the agent does not live to see its end */
    unsigned restarts = node->restarts;
    for (unsigned quiet = 0; quiet < 600 && kills < 50; quiet++) {
        if (quiet % 10 == 0) {
            hf_manifest_engine_check(node->engine);
            tell(node);
        }
        (void)hf_simloop_run_for(node->loop, HF_NS_PER_S);
        if (node->restarts == restarts)
            continue;
        ck_assert(file_has(node, 'a', "broken"));
        kills++;
        quiet = 0;
        fault(node, KILL, kills);
        boot(node);
        restarts = node->restarts;
    }
    ck_assert_msg(kills < 50, "the agent was killed %u times: %s", kills, node->status);
    expect(node, HF_MANIFEST_ROLLED_BACK);
    end(node);
}
END_TEST

/* A version does not work. The agent is killed (row 0) or the power is cut (row 1) while the rollback replaces files,
 * so files of two versions are in place, and nobody has the earlier one. The API server is away while the device is
 * switched off and on a few times; then the files of one version are put in place again. The unit has to take them
 * up. */
START_TEST(unit_takes_up_what_a_late_content_completes)
{
    static const struct scenario s = {.name = "late content", .fields = UNIT};
    static const struct version one = {"abc", "one"}, broken = {"abc", "broken"};
    struct node *node = begin(&s, 6000);

    (void)snprintf(node->when, sizeof(node->when), "late content");
    publish(node, &one);
    boot(node);
    intervals(node, 3);
    expect(node, HF_MANIFEST_APPLIED);
    publish(node, &broken);
    while (!is_exactly(node, "abc", "broken"))
        ck_assert(hf_simloop_step(node->loop));
    hf_simfs_count_only(node->fs, HF_SIMFS_WRITES);
    for (unsigned i = 0; i < 100000 && strstr(node->status, "RollingBack") == NULL; i++)
        ck_assert(hf_simloop_step(node->loop));
    hf_simfs_stop_at(node->fs, 38); /* in the middle of the swap of the rollback */
    (void)hf_simloop_run_for(node->loop, 2 * HF_NS_PER_S);
    ck_assert(file_has(node, 'a', "one") && !file_has(node, 'c', "one"));
    hf_simnet_set_server(node->net, "https://api", HF_SIM_SERVER_REFUSING);
    for (unsigned k = 0; k < 4; k++) {
        fault(node, (enum fault)_i, k);
        boot(node);
        intervals(node, 3);
        ck_assert_msg(strstr(node->status, "RollingBack") != NULL, "%s", node->status);
    }
    unsigned restarts = node->restarts;
    hf_simnet_set_server(node->net, "https://api", HF_SIM_SERVER_UP);
    intervals(node, 60);
    expect(node, HF_MANIFEST_ROLLED_BACK);
    ck_assert_msg(is_exactly(node, "abc", "broken"), "%s", node->status);
    ck_assert_msg(node->restarts > restarts, "the unit never starts with the files in place: %s", node->status);
    end(node);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_loop_test(tc, secret_comes_back_after_another_source, 0, 4);
    tcase_add_test(tc, secret_waits_for_its_file_system);
    tcase_add_loop_test(tc, secret_and_a_file_of_a_disk_come_back, 0, 2);
    tcase_add_loop_test(tc, secret_comes_back_wherever_the_agent_dies, 0, FAULTS);
    tcase_add_loop_test(tc, content_comes_back_after_a_secret, 0, 2);
    tcase_add_test(tc, backup_has_nothing_of_a_secret);
    tcase_add_test(tc, digest_of_the_status_allows_the_removal);
    tcase_add_test(tc, wrong_name_revokes_nothing);
    tcase_add_test(tc, wrong_name_keeps_the_sealed_copy);
    tcase_add_test(tc, deletion_is_forgotten_with_the_name);
    tcase_add_test(tc, deletion_that_has_begun_is_no_drift);
    tcase_add_loop_test(tc, unsigned_entry_revokes_nothing, 0, 2);
    tcase_add_loop_test(tc, prune_is_taken_back, 0, 2);
    tcase_add_loop_test(tc, cut_with_another_name, 0, RENAMES);
    tcase_add_loop_test(tc, deletion_after_a_cut, 0, 2);
    tcase_add_loop_test(tc, deletion_after_a_cut_of_the_first_version, 0, 2);
    tcase_add_loop_test(tc, tpm_repairs_while_a_version_waits, 0, 2);
    tcase_add_test(tc, sealed_copy_repairs_no_mixture);
    tcase_add_test(tc, adopted_file_stays);
    tcase_add_loop_test(tc, rollback_waits_for_the_tpm, 1, 4);
    tcase_add_test(tc, dead_tpm_keeps_nothing_out);
    tcase_add_test(tc, dead_tpm_leaves_one_version);
    tcase_add_loop_test(tc, adopted_file_stays_without_memory, 0, 4);
    tcase_add_test(tc, kept_content_comes_back_without_the_record);
    tcase_add_loop_test(tc, each_version_is_validated, 0, FAULTS);
    tcase_add_loop_test(tc, ends_at_any_write, 0, HF_LEN(scenarios));
    tcase_add_test(tc, secret_on_trial_after_a_kill);
    tcase_add_test(tc, unit_that_kills_the_agent);
    tcase_add_loop_test(tc, unit_takes_up_what_a_late_content_completes, 0, 2);
    tcase_add_loop_test(tc, unit_takes_up_what_a_cut_rollback_put_back, 0, 2);
}

HF_TEST_MAIN_CPU("manifests/secret", cases, 300)
