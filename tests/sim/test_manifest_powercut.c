/* SPDX-License-Identifier: Apache-2.0 */
/* A power cut, a full disk, a failing disk and a read-only file system at every single file-system call of an entry of
 * spec.manifests to Files, for each kind of change; then another cut while the next process recovers. `make soak` goes to every
 * call, and elsewhere a sample that holds each kind of call is drawn (support/walk.h).
 *
 * Always: each managed file is one of the two whole contents, or absent where one of the two sets lacks it. In the end:
 * Applied or RolledBack, whichever is right, with exactly the files of that set, no files of our own beside them, and no
 * descriptor open. */
#include <errno.h>
#include <string.h>

#include "loop/proc.h"
#include "loop/unit.h"
#include "manifests/engine.h"
#include "support/check_main.h"
#include "support/fakes/simfs.h"
#include "support/fakes/simhost.h"
#include "support/fakes/simloop.h"
#include "support/fakes/simwalk.h"
#include "support/manifest_idle.h"

enum { MAX_FILES = 8 };

struct file {
    const char *path, *text; /* path below the source, or below the target */
};

struct scenario {
    const char *name;
    const char *fields;             /* of the entry, beside name, from, to */
    struct file first[MAX_FILES];   /* the source's files that are applied first, without faults; none: nothing is */
    struct file then[MAX_FILES];    /* the source's files of the change */
    struct file foreign[MAX_FILES]; /* files of somebody else in the target before */
    struct file end[MAX_FILES];     /* all files of the target in the end */
    enum hf_manifest_phase phase;
    const char *drift; /* a file that somebody changes; instead of a change of the source */
    const char *gone;  /* the folder of this file, which somebody removes with the file */
};

#define PRUNE "\"path\":\"/etc/app/\",\"prune\":true"
#define UNIT ",\"restart\":{\"systemdUnit\":\"app.service\"}"

static const struct scenario scenarios[] = {
    {.name = "first",
     .fields = PRUNE UNIT,
     .then = {{"a.conf", "a1"}, {"sub/b.conf", "b1"}, {"sub/deep/c.conf", "c1"}},
     .end = {{"a.conf", "a1"}, {"sub/b.conf", "b1"}, {"sub/deep/c.conf", "c1"}},
     .phase = HF_MANIFEST_APPLIED},
    {.name = "change",
     .fields = PRUNE UNIT,
     .first = {{"a.conf", "a1"}, {"sub/b.conf", "b1"}, {"sub/c.conf", "c1"}, {"d.conf", "d1"}},
     .then = {{"a.conf", "a2"}, {"new/e.conf", "e1"}, {"sub/b.conf", "b1"}, {"d.conf", "d2"}},
     .end = {{"a.conf", "a2"}, {"new/e.conf", "e1"}, {"sub/b.conf", "b1"}, {"d.conf", "d2"}},
     .phase = HF_MANIFEST_APPLIED},
    {.name = "rollback",
     .fields = PRUNE UNIT,
     .first = {{"a.conf", "a1"}, {"sub/b.conf", "b1"}, {"sub/c.conf", "c1"}, {"d.conf", "d1"}},
     .then = {{"a.conf", "broken"}, {"new/e.conf", "e1"}, {"sub/b.conf", "b2"}, {"d.conf", "d1"}},
     .end = {{"a.conf", "a1"}, {"sub/b.conf", "b1"}, {"sub/c.conf", "c1"}, {"d.conf", "d1"}},
     .phase = HF_MANIFEST_ROLLED_BACK},
    {.name = "first, rollback",
     .fields = PRUNE UNIT,
     .then = {{"a.conf", "broken"}, {"sub/b.conf", "b1"}},
     .phase = HF_MANIFEST_ROLLED_BACK},
    {.name = "force, rollback",
     .fields = "\"path\":\"/etc/app/\",\"force\":true" UNIT,
     .then = {{"a.conf", "broken"}, {"b.conf", "b1"}},
     .foreign = {{"a.conf", "theirs"}, {"z.conf", "z"}},
     .end = {{"a.conf", "theirs"}, {"z.conf", "z"}},
     .phase = HF_MANIFEST_ROLLED_BACK},
    {.name = "force, rollback, nothing else",
     .fields = "\"path\":\"/etc/app/\",\"force\":true" UNIT,
     .then = {{"a.conf", "broken"}},
     .foreign = {{"a.conf", "theirs"}},
     .end = {{"a.conf", "theirs"}},
     .phase = HF_MANIFEST_ROLLED_BACK},
    {.name = "one file",
     .fields = "\"path\":\"/etc/app/one.conf\"" UNIT,
     .first = {{"x", "x1"}},
     .then = {{"x", "x2"}},
     .end = {{"one.conf", "x2"}},
     .phase = HF_MANIFEST_APPLIED},
    {.name = "drift",
     .fields = PRUNE UNIT,
     .first = {{"a.conf", "a1"}, {"sub/b.conf", "b1"}},
     .drift = "a.conf",
     .end = {{"a.conf", "a1"}, {"sub/b.conf", "b1"}},
     .phase = HF_MANIFEST_APPLIED},
    {.name = "drift, a folder is gone",
     .fields = PRUNE UNIT,
     .first = {{"a.conf", "a1"}, {"sub/b.conf", "b1"}},
     .drift = "a.conf",
     .gone = "b.conf",
     .end = {{"a.conf", "a1"}, {"sub/b.conf", "b1"}},
     .phase = HF_MANIFEST_APPLIED},
};

struct world {
    const struct scenario *scenario;
    struct hf_simloop *loop;
    struct hf_simfs *fs;
    struct hf_simproc *proc;
    struct hf_simhost *host;
    struct hf_config *config;
    struct hf_syncpolicy *policy;
    struct hf_manifest_engine *engine;
    char running[16]; /* content of a.conf when the unit was last restarted */
};

/* ---- the world ------------------------------------------------------------------------------------------------------- */

static const char *at(const char *folder, const char *name)
{
    static char path[4][256];
    static unsigned turn;
    char *p = path[turn++ % 4];

    (void)snprintf(p, sizeof(path[0]), "%s/%s", folder, name);
    return p;
}

static void put(struct world *w, const char *folder, const struct file *files)
{
    for (size_t i = 0; i < MAX_FILES && files[i].path != NULL; i++)
        hf_simfs_put(w->fs, at(folder, files[i].path), files[i].text, strlen(files[i].text), 0644);
}

static void get(struct world *w, const char *name, char text[16])
{
    size_t n = 0;
    const char *bytes = hf_simfs_get(w->fs, at("/etc/app", name), &n);

    (void)snprintf(text, 16, "%.*s", bytes != NULL ? (int)n : 6, bytes != NULL ? bytes : "absent");
}

static int restart(void *arg, const char *unit)
{
    struct world *w = arg;

    ck_assert_str_eq(unit, "app.service");
    get(w, "a.conf", w->running);
    return strcmp(w->running, "broken") == 0 ? -EIO : 0;
}

static const char *text_in(const struct file *files, const char *path)
{
    for (size_t i = 0; i < MAX_FILES && files[i].path != NULL; i++)
        if (strcmp(files[i].path, path) == 0)
            return files[i].text;
    return "absent";
}

static bool is_single(const struct world *w)
{
    return strstr(w->scenario->fields, "one.conf") != NULL;
}

/* A file is one of the two whole contents, or somebody else's from before. */
static void check_file(struct world *w, const char *path)
{
    const struct scenario *s = w->scenario;
    const char *source = is_single(w) ? "x" : path;
    char is[16];

    get(w, path, is);
    if (strcmp(is, text_in(s->first, source)) != 0 && strcmp(is, text_in(s->then, source)) != 0 &&
        strcmp(is, text_in(s->foreign, path)) != 0 && !(s->drift != NULL && strcmp(is, "drift!") == 0)) {
        hf_simfs_trace(w->fs, stderr);
        ck_abort_msg("%s: '%s' is '%s'", s->name, path, is);
    }
}

static void check(void *arg)
{
    struct world *w = arg;

    if (is_single(w)) {
        check_file(w, "one.conf");
        return;
    }
    for (size_t i = 0; i < MAX_FILES && w->scenario->first[i].path != NULL; i++)
        check_file(w, w->scenario->first[i].path);
    for (size_t i = 0; i < MAX_FILES && w->scenario->then[i].path != NULL; i++)
        check_file(w, w->scenario->then[i].path);
}

static void changed(void *arg)
{
    (void)arg;
}

static void tell(struct world *w)
{
    struct hf_manifest_desired desired = {.policy = w->policy, .config = w->config, .proven = true};

    ck_assert_int_eq(hf_manifest_engine_set(w->engine, &desired, NULL), 0);
}

static void boot(struct world *w)
{
    struct hf_simhost_world host = {.arg = w, .restart = restart};

    w->proc = hf_simproc_new(w->loop, "agent");
    w->host = hf_simhost_new(w->proc, &host);
    struct hf_manifest_engine_params params = {.env = {.world = hf_simproc_world(w->proc, hf_simfs_ops(w->fs)),
                                                       .proc = hf_simhost_proc(w->host),
                                                       .probe = hf_simhost_probe(w->host),
                                                       .unit = hf_simhost_unit(w->host),
                                                       .config = w->config,
                                                       .state_dir = "/var/lib/holdfast",
                                                       .node_name = "n1",
                                                       .retry_base_ns = HF_NS_PER_S,
                                                       .retry_cap_ns = 10 * HF_NS_PER_S},
                                               .changed = changed,
                                               .arg = w};
    if (hf_manifest_engine_new(&params, &w->engine, NULL) < 0) {
        w->engine = NULL;
        return;
    }
    hf_manifest_engine_repair_now(w->engine);
    tell(w);
}

static void end_life(struct world *w)
{
    hf_manifest_engine_free(w->engine);
    w->engine = NULL;
    while (hf_simproc_jobs(w->proc) > 0 && hf_simloop_step(w->loop))
        ;
    hf_simhost_free(w->host);
    hf_simproc_free(w->proc);
    w->proc = NULL;
}

static void kill_process(struct world *w)
{
    hf_simfs_stop_at(w->fs, 1);
    (void)hf_simfs_ops(w->fs)->fsync(hf_simfs_ops(w->fs)->ctx, -1);
    hf_simproc_kill(w->proc);
    end_life(w);
    hf_simfs_kill(w->fs);
    hf_simfs_stop_at(w->fs, 0);
}

static void power_cut(struct world *w, uint64_t seed)
{
    kill_process(w);
    hf_simfs_power_cut(w->fs, seed);
    check(w);
}

struct seen {
    bool there;
    struct hf_manifest_status status;
};

static void see(void *arg, const struct hf_manifest_status *status)
{
    *(struct seen *)arg = (struct seen){true, *status};
}

/* The set that counts is the newest one: its digest is that of the source's files now. */
static bool settle(struct world *w, enum hf_manifest_phase phase, unsigned rounds)
{
    for (unsigned i = 0; i < rounds && !hf_simfs_stopped(w->fs) && w->engine != NULL; i++) {
        struct seen seen = {.there = false};
        (void)hf_simloop_run_for(w->loop, 10 * HF_NS_PER_S);
        hf_manifest_engine_each(w->engine, see, &seen);
        if (i > 2 && seen.there && seen.status.phase == phase && manifest_is_idle(w->engine))
            return true;
        hf_manifest_engine_check(w->engine);
        tell(w);
    }
    return false;
}

static void visit(void *arg, const char *path, const struct stat *st)
{
    const struct world *w = arg;

    if (strstr(path, ".holdfast") != NULL)
        ck_abort_msg("%s: left behind: %s", w->scenario->name, path);
    if (!S_ISREG(st->st_mode))
        return;
    ck_assert_msg(strcmp(text_in(w->scenario->end, path + strlen("/etc/app/")), "absent") != 0, "%s: left: %s",
                  w->scenario->name, path);
}

static void expect_end(struct world *w, const char *when)
{
    const struct scenario *s = w->scenario;
    struct seen seen = {.there = false};
    char is[16];

    hf_manifest_engine_each(w->engine, see, &seen);
    if (!seen.there || seen.status.phase != s->phase) {
        hf_simfs_trace(w->fs, stderr);
        ck_abort_msg(
            "%s, %s: %s %s: %s", s->name, when, seen.there ? hf_manifest_phase_name(seen.status.phase) : "nothing",
            seen.there ? hf_manifest_reason_name(seen.status.reason) : "", seen.there ? seen.status.message : "");
    }
    for (size_t i = 0; i < MAX_FILES && s->end[i].path != NULL; i++) {
        get(w, s->end[i].path, is);
        ck_assert_msg(strcmp(is, s->end[i].text) == 0, "%s, %s: '%s' is '%s'", s->name, when, s->end[i].path, is);
    }
    hf_simfs_walk(w->fs, "/etc", visit, w);
    if (s->drift == NULL && !is_single(w)) {
        get(w, "a.conf", is);
        ck_assert_msg(strcmp(w->running, is) == 0, "%s, %s: runs '%s', installed '%s'", s->name, when, w->running, is);
    }
}

static struct world *begin(const struct scenario *scenario, uint64_t seed)
{
    static const char config[] = "apiVersion: edge.codcompass.io/v1alpha1\nkind: AgentConfiguration\nmanifests:\n"
                                 "  files: [/etc/app/**]\n  paths: [/media/usb, /media/usb/**]\n"
                                 "  units: [app.service]\n";
    struct hf_issues *issues = calloc(1, sizeof(*issues));
    struct world *w = calloc(1, sizeof(*w));
    json_t *json = NULL;
    char text[1024];

    ck_assert(w != NULL && issues != NULL);
    w->scenario = scenario;
    w->loop = hf_simloop_new(seed);
    w->fs = hf_simfs_new();
    ck_assert_int_eq(hf_config_parse(HF_VIEW(config), "agent.yaml", &w->config, NULL), 0);
    ck_assert_uint_eq(hf_config_n_faults(w->config), 0);
    (void)snprintf(
        text, sizeof(text),
        "{\"apiVersion\":\"edge.codcompass.io/v1alpha1\",\"kind\":\"SyncPolicy\",\"metadata\":{\"name\":\"p\","
        "\"annotations\":{}},\"spec\":{\"manifests\":[{\"name\":\"app\",\"from\":{\"path\":\"/media/usb\"},"
        "\"to\":\"Files\",%s}]}}",
        scenario->fields);
    ck_assert_int_eq(hf_json_parse(hf_view_of(text), NULL, &json, NULL), 0);
    ck_assert_int_eq(hf_syncpolicy_decode(json, &w->policy, issues), 0);
    json_decref(json);
    free(issues);
    hf_simfs_mkdir(w->fs, "/etc/app", 0755);
    hf_simfs_mkdir(w->fs, "/var/lib/holdfast", 0700);
    put(w, "/etc/app", scenario->foreign);
    if (scenario->first[0].path != NULL) {
        put(w, "/media/usb", scenario->first);
        boot(w);
        ck_assert_msg(settle(w, HF_MANIFEST_APPLIED, 20), "%s: first", scenario->name);
        end_life(w);
    }
    for (size_t i = 0; scenario->drift == NULL && i < MAX_FILES && scenario->first[i].path != NULL; i++)
        hf_simfs_delete(w->fs, at("/media/usb", scenario->first[i].path));
    put(w, "/media/usb", scenario->then);
    if (scenario->drift != NULL)
        hf_simfs_put(w->fs, at("/etc/app", scenario->drift), "drift!", 6, 0644);
    if (scenario->gone != NULL) {
        hf_simfs_delete(w->fs, at("/etc/app/sub", scenario->gone));
        hf_simfs_delete(w->fs, "/etc/app/sub");
    }
    hf_simloop_after_each(w->loop, check, w);
    return w;
}

static void finish(struct world *w)
{
    hf_simloop_after_each(w->loop, NULL, NULL);
    if (w->proc != NULL)
        end_life(w);
    ck_assert_uint_eq(hf_simfs_open_fds(w->fs), 0);
    hf_syncpolicy_free(w->policy);
    hf_config_free(w->config);
    hf_simfs_free(w->fs);
    hf_simloop_free(w->loop);
    free(w);
}

/* ---- cuts ------------------------------------------------------------------------------------------------------------ */

/* A walk of this test through a scenario. */
static struct hf_simwalk walk_of(const char *test, const struct scenario *scenario, char name[static 80])
{
    (void)snprintf(name, 80, "%s, %s", test, scenario->name);
    return (struct hf_simwalk){.name = name};
}

/* Cuts at call `walk->at` of the first process and (second > 0) at call `second` of the next one. */
static void cut_at(const struct scenario *scenario, struct hf_simwalk *walk, uint64_t second, uint64_t seed)
{
    struct world *w = begin(scenario, seed);
    uint64_t n = walk->at;
    char when[80];

    (void)snprintf(when, sizeof(when), "cut at %d, then %d", (int)n, (int)second);
    hf_simfs_count_only(w->fs, HF_SIMFS_WRITES);
    hf_simfs_stop_at(w->fs, n);
    boot(w);
    (void)settle(w, scenario->phase, 40);
    if (hf_simwalk_saw(walk, w->fs)) {
        power_cut(w, seed * 31 + n);
        hf_simfs_stop_at(w->fs, second);
        boot(w);
        if (!settle(w, scenario->phase, 40) && hf_simfs_stopped(w->fs)) {
            power_cut(w, seed * 37 + second);
            boot(w);
            (void)settle(w, scenario->phase, 40);
        }
    }
    hf_simfs_stop_at(w->fs, 0);
    expect_end(w, when);
    finish(w);
}

START_TEST(at_every_call)
{
    char name[80];
    struct hf_simwalk walk = walk_of("at every call", &scenarios[_i], name);

    while (hf_simwalk_next(&walk))
        cut_at(&scenarios[_i], &walk, 0, walk.at);
    ck_assert_uint_gt(walk.places, hf_walk_is_whole() ? 5 : 0);
    (void)fprintf(stderr, "%s: %d cuts\n", scenarios[_i].name, (int)walk.places);
}
END_TEST

START_TEST(twice)
{
    char name[80];
    struct hf_simwalk walk = walk_of("twice", &scenarios[_i], name);

    while (hf_simwalk_next(&walk))
        cut_at(&scenarios[_i], &walk, 1 + walk.at * 17 % 29, walk.at + 1000);
}
END_TEST

/* Kills the first process at call `walk->at`: what it did is in the page cache alone. The next one finishes, and then the power
 * is cut. */
static void kill_at(const struct scenario *scenario, struct hf_simwalk *walk, uint64_t seed)
{
    struct world *w = begin(scenario, seed);
    uint64_t n = walk->at;
    char when[80];

    (void)snprintf(when, sizeof(when), "killed at %d, then finished, then cut", (int)n);
    hf_simfs_count_only(w->fs, HF_SIMFS_WRITES);
    hf_simfs_stop_at(w->fs, n);
    boot(w);
    (void)settle(w, scenario->phase, 40);
    if (hf_simwalk_saw(walk, w->fs)) {
        kill_process(w);
        boot(w);
        ck_assert_msg(settle(w, scenario->phase, 40), "%s: %s", scenario->name, when);
        power_cut(w, seed);
        boot(w);
        (void)settle(w, scenario->phase, 40);
    }
    hf_simfs_stop_at(w->fs, 0);
    expect_end(w, when);
    finish(w);
}

START_TEST(killed_before_a_sync)
{
    char name[80];
    struct hf_simwalk walk = walk_of("killed before a sync", &scenarios[_i], name);

    while (hf_simwalk_next(&walk)) {
        kill_at(&scenarios[_i], &walk, HF_SIMFS_LOSE_ALL);
        kill_at(&scenarios[_i], &walk, walk.at);
    }
}
END_TEST

/* The disk fails from call `walk->at` on, and works again: in the next process (`killed`), or in the same one. What its failed
 * syncs have lost looks right in the page cache until the power is cut. */
static void fail_before_cut(const struct scenario *scenario, struct hf_simwalk *walk, bool killed)
{
    uint64_t n = walk->at;
    struct world *w = begin(scenario, n);
    char when[80];

    (void)snprintf(when, sizeof(when), "failing from %d%s, then finished, then cut", (int)n, killed ? ", killed" : "");
    hf_simfs_count_only(w->fs, HF_SIMFS_WRITES);
    hf_simfs_fail_at(w->fs, n, EIO, killed ? 0 : 1 + n % 20);
    boot(w);
    (void)settle(w, scenario->phase, killed ? 8 : 40);
    bool failed = hf_simwalk_saw(walk, w->fs);
    hf_simfs_fail_at(w->fs, 0, 0, 0);
    if (failed) {
        if (killed || w->engine == NULL) { /* NULL: the process could not start */
            kill_process(w);
            boot(w);
        }
        ck_assert_msg(settle(w, scenario->phase, 60), "%s: %s", scenario->name, when);
        power_cut(w, HF_SIMFS_LOSE_ALL);
        boot(w);
        (void)settle(w, scenario->phase, 40);
    }
    expect_end(w, when);
    finish(w);
}

START_TEST(failed_before_a_cut)
{
    char name[80];
    struct hf_simwalk walk = walk_of("failed before a cut", &scenarios[_i], name);

    while (hf_simwalk_next(&walk))
        fail_before_cut(&scenarios[_i], &walk, walk.at % 2 == 0);
}
END_TEST

/* ---- a lost inventory ------------------------------------------------------------------------------------------------ */

/* The inventory is damaged, or gone: the engine knows its files again from the record and the content on disk. */
START_TEST(lost_inventory)
{
    static const char path[] = "/var/lib/holdfast/manifests/app/inventory";
    struct world *w = begin(&scenarios[1], 1);
    size_t n = 0;
    const char *bytes = hf_simfs_get(w->fs, path, &n);
    char damaged[4096];

    ck_assert(bytes != NULL && n < sizeof(damaged));
    memcpy(damaged, bytes, n);
    damaged[n / 2] ^= 1;
    if (_i == 0)
        hf_simfs_put(w->fs, path, damaged, n, 0600);
    else
        hf_simfs_delete(w->fs, path);
    boot(w);
    (void)settle(w, HF_MANIFEST_APPLIED, 40);
    expect_end(w, _i == 0 ? "damaged inventory" : "no inventory");
    finish(w);
}
END_TEST

static void damage_content(void *arg, const char *path, const struct stat *st)
{
    struct world *w = arg;

    if (S_ISREG(st->st_mode) && strstr(path, "/b-") != NULL)
        hf_simfs_put(w->fs, path, "damaged", 7, 0600);
}

/* The new set fails, and the content to go back to is lost: the entry comes to its end, and takes the next content. */
START_TEST(lost_good_content)
{
    struct world *w = begin(&scenarios[2], 1);
    struct seen seen = {.there = false};

    w->scenario = &scenarios[1]; /* its files come next */
    hf_simloop_after_each(w->loop, NULL, NULL);
    hf_simfs_walk(w->fs, "/var/lib/holdfast/manifests/app", damage_content, w);
    boot(w);
    ck_assert(settle(w, HF_MANIFEST_ROLLED_BACK, 40));
    hf_manifest_engine_each(w->engine, see, &seen);
    ck_assert_ptr_nonnull(strstr(seen.status.message, "the content to go back to is lost"));
    put(w, "/media/usb", scenarios[1].then);
    ck_assert(settle(w, HF_MANIFEST_APPLIED, 40));
    expect_end(w, "the good content was lost");
    finish(w);
}
END_TEST

/* ---- errors ---------------------------------------------------------------------------------------------------------- */

/* From call `walk->at` on, `times` calls fail (0: all) until somebody repairs the disk. */
static void fail_at(const struct scenario *scenario, struct hf_simwalk *walk, int code, unsigned calls, uint64_t times)
{
    uint64_t n = walk->at;
    struct world *w = begin(scenario, n);
    char when[80];

    (void)snprintf(when, sizeof(when), "errno %d at %d, %d times", code, (int)n, (int)times);
    hf_simfs_count_only(w->fs, calls);
    hf_simfs_fail_at(w->fs, n, code, times);
    boot(w);
    if (w->engine == NULL) { /* the agent does not start; systemd starts it again */
        end_life(w);
        hf_simfs_fail_at(w->fs, 0, 0, 0);
        boot(w);
    }
    (void)settle(w, scenario->phase, 8);
    (void)hf_simwalk_saw(walk, w->fs);
    hf_simfs_fail_at(w->fs, 0, 0, 0);
    bool settled = settle(w, scenario->phase, 60);
    if (!settled)
        (void)fprintf(stderr, "%s, %s: not settled\n", scenario->name, when);
    expect_end(w, when);
    finish(w);
}

START_TEST(full_disk)
{
    char name[80];
    struct hf_simwalk walk = walk_of("full_disk", &scenarios[_i], name);

    while (hf_simwalk_next(&walk))
        fail_at(&scenarios[_i], &walk, ENOSPC, HF_SIMFS_GROWS, 0);
}
END_TEST

START_TEST(read_only)
{
    char name[80];
    struct hf_simwalk walk = walk_of("read_only", &scenarios[_i], name);

    while (hf_simwalk_next(&walk))
        fail_at(&scenarios[_i], &walk, EROFS, HF_SIMFS_WRITES, 0);
}
END_TEST

START_TEST(one_error)
{
    char name[80];
    struct hf_simwalk walk = walk_of("one_error", &scenarios[_i], name);

    while (hf_simwalk_next(&walk))
        fail_at(&scenarios[_i], &walk, EIO, HF_SIMFS_ALL, 1);
}
END_TEST

static void cases(TCase *tc)
{
    int n = (int)HF_LEN(scenarios);

    tcase_add_loop_test(tc, lost_inventory, 0, 2);
    tcase_add_test(tc, lost_good_content);
    tcase_add_loop_test(tc, at_every_call, 0, n);
    tcase_add_loop_test(tc, twice, 0, n);
    tcase_add_loop_test(tc, killed_before_a_sync, 0, n);
    tcase_add_loop_test(tc, failed_before_a_cut, 0, n);
    tcase_add_loop_test(tc, full_disk, 0, n);
    tcase_add_loop_test(tc, read_only, 0, n);
    tcase_add_loop_test(tc, one_error, 0, n);
}

HF_TEST_MAIN_CPU("manifests/powercut", cases, 300)
