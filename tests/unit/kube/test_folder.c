/* SPDX-License-Identifier: Apache-2.0 */
/* A folder as a source: real files, virtual time. */
#include "kube/folder/folder.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/meta.h"
#include "kube/folder/folder_scan.h"
#include "os/dir.h"
#include "os/fs_posix.h"
#include "support/check_main.h"
#include "support/fakes/simfs.h"
#include "support/fakes/simloop.h"

struct world {
    char dir[64];
    struct hf_simloop *loop;
    struct hf_simproc *proc;
    struct hf_folder *folder;
    const struct hf_source_ops *source;
    struct hf_sched_ops sched;
};

struct seen {
    struct world *world;
    struct hf_subscription *sub;
    json_t *held;
    unsigned upserts, gone, synced, refused, proven, lost;
    bool end_on_upsert;
    char last_refused[700];
    char unreadable[64]; /* the file that is; "": none */
};

static void on_upsert(void *arg, json_t *object)
{
    struct seen *seen = arg;

    seen->upserts++;
    (void)json_object_set(seen->held, hf_json_str(object, "metadata.name"), object);
    if (seen->end_on_upsert)
        hf_source_unsubscribe(seen->sub);
}

static void on_gone(void *arg, const char *name)
{
    struct seen *seen = arg;

    seen->gone++;
    (void)json_object_del(seen->held, name);
}

static void on_synced(void *arg, const char *version)
{
    ck_assert_str_eq(version, "");
    ((struct seen *)arg)->synced++;
}

static void on_contact(void *arg, enum hf_contact_kind kind, struct hf_server_date date, const struct hf_err *err)
{
    struct seen *seen = arg;

    ck_assert_uint_eq(date.unix_ns, 0);
    ck_assert((kind == HF_CONTACT_LOST) == (err != NULL));
    *(kind == HF_CONTACT_PROVEN ? &seen->proven : &seen->lost) += 1;
}

static void on_refused(void *arg, const char *what, const struct hf_err *err)
{
    struct seen *seen = arg;
    char text[500];

    seen->refused++;
    (void)snprintf(seen->last_refused, sizeof(seen->last_refused), "%s: %s", what,
                   hf_err_text(err, text, sizeof(text)));
}

static void on_unreadable_file(void *arg, const char *what, const struct hf_err *err)
{
    struct seen *seen = arg;

    (void)snprintf(seen->unreadable, sizeof(seen->unreadable), "%s", err != NULL ? what : "");
}

/* While `hangs`, a job does not come to its end, as in a file system that does not answer; with `queued`, no worker
 * begins it. Tests run in processes of their own. */
static bool hangs, queued;
static struct hf_job *hanging;
static const struct hf_sched_ops *real;

static int submit(void *ctx, struct hf_job *job)
{
    if (!hangs)
        return real->submit(ctx, job);
    ck_assert_ptr_null(hanging);
    hanging = job;
    atomic_store(&job->begun, !queued);
    if (!queued)
        job->work(job);
    return 0;
}

static void end_hanging(void)
{
    struct hf_job *job = hanging;

    hangs = false;
    hanging = NULL;
    if (queued)
        job->work(job);
    queued = false;
    job->done(job, 0);
}

static void world_start(struct world *world)
{
    (void)snprintf(world->dir, sizeof(world->dir), "/tmp/holdfast-folder-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(world->dir));
    world->loop = hf_simloop_new(0);
    world->proc = hf_simproc_new(world->loop, "node");
    char *status = hf_asprintf("%s/state/status", world->dir), *source = hf_asprintf("%s/source", world->dir);
    ck_assert_int_eq(mkdir(source, 0755), 0);
    real = hf_simproc_sched(world->proc);
    world->sched = *real;
    world->sched.submit = submit;
    struct hf_folder_params params = {
        .dir = source, .status_dir = status, .world = hf_simproc_world(world->proc, hf_fs_posix())};
    params.world.sched = &world->sched;
    world->folder = hf_folder_new(&params, NULL);
    ck_assert_ptr_nonnull(world->folder);
    world->source = hf_folder_source(world->folder);
    free(status);
    free(source);
}

static void world_end(struct world *world)
{
    hf_folder_free(world->folder);
    ck_assert_uint_eq(hf_simproc_timers(world->proc), 0);
    hf_simproc_free(world->proc); /* hands back what is on its way */
    hf_simloop_free(world->loop);
    ck_assert_int_eq(hf_dir_remove_tree(hf_fs_posix(), world->dir, NULL), 0);
}

static void subscribe(struct world *world, struct seen *seen, const char *kind, const char *const *known)
{
    struct hf_source_sink sink = {.arg = seen,
                                  .upsert = on_upsert,
                                  .gone = on_gone,
                                  .synced = on_synced,
                                  .contact = on_contact,
                                  .refused = on_refused,
                                  .unreadable = on_unreadable_file};

    seen->world = world;
    seen->held = json_object();
    for (size_t i = 0; known != NULL && known[i] != NULL; i++)
        (void)json_object_set_new(seen->held, known[i], json_true());
    ck_assert_int_eq(world->source->subscribe(world->source->ctx, kind, NULL, "", known, &sink, &seen->sub, NULL), 0);
    ck_assert_uint_eq(seen->upserts, 0);
}

/* A file as it is after `age_s` of rest. */
static void put_aged(struct world *world, const char *name, const char *text, uint64_t age_s)
{
    char *path = hf_asprintf("%s/source/%s", world->dir, name);
    uint64_t then = hf_unix_ns(hf_simproc_clock(world->proc)) / HF_NS_PER_S - age_s;
    struct timespec times[2] = {{.tv_sec = (time_t)then}, {.tv_sec = (time_t)then}};
    FILE *file = fopen(path, "wb");

    ck_assert(file != NULL && fputs(text, file) >= 0 && fclose(file) == 0);
    ck_assert_int_eq(utimensat(AT_FDCWD, path, times, 0), 0);
    free(path);
}

static void put(struct world *world, const char *name, const char *text)
{
    put_aged(world, name, text, 10);
}

static void drop(struct world *world, const char *name)
{
    char *path = hf_asprintf("%s/source/%s", world->dir, name);

    ck_assert_int_eq(unlink(path), 0);
    free(path);
}

static void run(struct world *world, uint64_t seconds)
{
    (void)hf_simloop_run_for(world->loop, seconds * HF_NS_PER_S);
}

#define EU(name, value)                                                                                                \
    "apiVersion: edge.codcompass.io/v1alpha1\nkind: EdgeUpdate\nmetadata: {name: " name "}\nspec: {value: " value "}"  \
    "\n"
#define RELEASE(name, value, sequence)                                                                                 \
    "apiVersion: edge.codcompass.io/v1alpha1\nkind: EdgeUpdate\nmetadata: {name: " name "}\nspec: {value: " value      \
    ", release: {sequence: " sequence "}}\n"
#define SP(name) "apiVersion: edge.codcompass.io/v1alpha1\nkind: SyncPolicy\nmetadata: {name: " name "}\nspec: {}\n"

START_TEST(follows)
{
    struct world world;
    struct seen seen = {.upserts = 0}, policies = {.upserts = 0};
    world_start(&world);
    put(&world, "all.yaml", EU("a", "1") "---\n" EU("b", "1") "---\n" SP("p") "---\napiVersion: v1\nkind: Secret\n");
    put(&world, "more.json",
        "{\"apiVersion\":\"edge.codcompass.io/v1alpha1\",\"kind\":\"EdgeUpdate\",\"metadata\":{\"name\":\"c\"}}");
    put(&world, "notes.txt", EU("never", "1"));
    put(&world, ".hidden.yaml", EU("never", "1"));
    subscribe(&world, &seen, "EdgeUpdate", NULL);
    subscribe(&world, &policies, "SyncPolicy", NULL);
    run(&world, 1);
    ck_assert(seen.upserts == 3 && seen.synced == 1 && seen.proven == 1 && seen.refused == 0);
    ck_assert(policies.upserts == 1 && policies.synced == 1);
    put(&world, "all.yaml", EU("a", "22") "---\n" EU("d", "1")); /* b and p are gone, d is new */
    run(&world, 2);
    ck_assert(seen.upserts == 5 && seen.gone == 1 && json_object_size(seen.held) == 3 && policies.gone == 1);
    ck_assert_int_eq(hf_json_int_or(json_object_get(seen.held, "a"), "spec.value", 0), 22);
    drop(&world, "more.json");
    run(&world, 1);
    ck_assert_uint_eq(seen.gone, 1); /* one look is not enough: editors replace in two steps */
    run(&world, 3);
    ck_assert_uint_eq(seen.gone, 2);
    run(&world, 3600);
    ck_assert(seen.upserts == 5 && seen.gone == 2 && seen.synced == 1 && seen.refused == 0 && seen.lost == 0);
    ck_assert_uint_ge(seen.proven, 59);
    json_decref(seen.held);
    json_decref(policies.held);
    world_end(&world);
}
END_TEST

static void ck_holds(const struct seen *seen, const char *name, const char *value)
{
    const json_t *object = json_object_get(seen->held, name);

    ck_assert_msg(object != NULL, "no %s", name);
    ck_assert_str_eq(hf_json_str_or(object, "spec.value", ""), value);
}

/* The next version lies beside the old one, whatever the names of the files; the same object twice is no error; two
 * with one sequence are, as long as both are there. */
START_TEST(of_two_objects_the_higher_sequence_counts)
{
    struct world world;
    struct seen seen = {.upserts = 0};
    world_start(&world);
    put(&world, "a.yaml", RELEASE("app", "old", "9"));
    put(&world, "b.yaml", RELEASE("app", "older", "8"));
    put(&world, "c.yaml", RELEASE("app", "old", "9"));
    subscribe(&world, &seen, "EdgeUpdate", NULL);
    run(&world, 2);
    ck_holds(&seen, "app", "old");
    put(&world, "d.yaml", RELEASE("app", "new", "10"));
    run(&world, 3);
    ck_holds(&seen, "app", "new");
    ck_assert_uint_eq(seen.refused, 0);

    put(&world, "e.yaml", RELEASE("app", "other", "10"));
    run(&world, 5);
    ck_holds(&seen, "app", "new");
    ck_assert_uint_eq(seen.refused, 1);
    ck_assert_msg(strstr(seen.last_refused, "e.yaml: 'EdgeUpdate/app' is in 'd.yaml' too") != NULL, "%s",
                  seen.last_refused);
    ck_assert_str_eq(seen.unreadable, "e.yaml");
    drop(&world, "d.yaml");
    run(&world, 5);
    ck_holds(&seen, "app", "other");
    ck_assert_uint_eq(seen.refused, 1);
    ck_assert_str_eq(seen.unreadable, "");
    json_decref(seen.held);
    world_end(&world);
}
END_TEST

/* A list stands for its items; those of an API server have no kind. `holdfast lint` reads by the same rules. */
START_TEST(lists_stand_for_their_items)
{
    static const char typed[] = "apiVersion: edge.codcompass.io/v1alpha1\nkind: SyncPolicyList\nitems:\n"
                                "- metadata: {name: a}\n  spec: {}\n- metadata: {name: b}\n  spec: {}\n";
    static const char any[] = "apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: Secret}\n"
                              "- {apiVersion: edge.codcompass.io/v1alpha1, kind: SyncPolicy, metadata: {name: c}}\n";
    static const char nested[] = "apiVersion: v1\nkind: List\nitems: [{apiVersion: v1, kind: List, items: []}]\n";
    static const char foreign[] = "apiVersion: v1\nkind: ConfigMap\nitems: [{apiVersion: edge.codcompass.io/v1alpha1, "
                                  "kind: SyncPolicy, metadata: {name: d}}]\n";
    struct world world = {0};
    struct seen seen = {0};

    world_start(&world);
    subscribe(&world, &seen, "SyncPolicy", NULL);
    put(&world, "any.yaml", any);
    put(&world, "foreign.yaml", foreign);
    put(&world, "typed.yaml", typed);
    run(&world, 5);
    ck_assert_uint_eq(json_object_size(seen.held), 3);
    ck_assert_uint_eq(seen.refused, 0);
    put(&world, "nested.yaml", nested);
    run(&world, 5);
    ck_assert_str_eq(seen.last_refused, "nested.yaml: items[0]: a list within a list");
    hf_source_unsubscribe(seen.sub);
    json_decref(seen.held);
    world_end(&world);
}
END_TEST

START_TEST(listed_again_when_asked)
{
    struct world world;
    struct seen seen = {.upserts = 0};
    world_start(&world);
    put(&world, "all.yaml", EU("a", "1") "---\n" EU("b", "1"));
    subscribe(&world, &seen, "EdgeUpdate", NULL);
    seen.sub->source->relist(seen.sub); /* the first time is ahead: it will do */
    run(&world, 3);
    ck_assert(seen.upserts == 2 && seen.synced == 1);
    seen.sub->source->decline(seen.sub, "a", false);
    seen.sub->source->relist(seen.sub);
    put(&world, "all.yaml", EU("a", "1") "---\n" EU("c", "1")); /* b is gone meanwhile, which is not lost */
    run(&world, 5);
    ck_assert(seen.synced == 2 && seen.gone == 1 && json_object_size(seen.held) == 2);
    json_decref(seen.held);
    world_end(&world);
}
END_TEST

START_TEST(a_file_counts_when_it_rests)
{
    struct world world;
    struct seen seen = {.upserts = 0};
    world_start(&world);
    put(&world, "a.yaml", EU("a", "1") "---\n" EU("b", "1"));
    subscribe(&world, &seen, "EdgeUpdate", NULL);
    run(&world, 2);
    /* Copied in slowly: first empty, then half, then whole, always just now. */
    put_aged(&world, "a.yaml", "", 0);
    run(&world, 1);
    put_aged(&world, "a.yaml", EU("a", "2"), 0);
    run(&world, 1);
    put_aged(&world, "a.yaml", EU("a", "2") "---\n" EU("b", "2"), 0);
    ck_assert(seen.upserts == 2 && seen.gone == 0);
    run(&world, 3);
    ck_assert(seen.upserts == 4 && seen.gone == 0);
    json_decref(seen.held);
    world_end(&world);
}
END_TEST

START_TEST(a_bad_file_keeps_its_objects)
{
    struct world world;
    struct seen seen = {.upserts = 0};
    world_start(&world);
    put(&world, "a.yaml", EU("a", "1"));
    put(&world, "b.yaml", EU("b", "1"));
    subscribe(&world, &seen, "EdgeUpdate", NULL);
    run(&world, 2);
    put(&world, "a.yaml", "a: b: c");
    run(&world, 10);
    ck_assert(seen.refused == 1 && seen.gone == 0 && strstr(seen.last_refused, "a.yaml") != NULL); /* said once */
    drop(&world, "b.yaml");
    run(&world, 10);
    ck_assert_uint_eq(seen.gone, 0); /* b may have moved into the file that cannot be read */
    put(&world, "a.yaml", EU("a", "3"));
    run(&world, 5);
    ck_assert(seen.gone == 1 && json_object_size(seen.held) == 1);
    put(&world, "c.yaml", "apiVersion: edge.codcompass.io/v9\nkind: EdgeUpdate\nmetadata: {name: x}\n");
    run(&world, 5);
    ck_assert(seen.refused == 2 && strstr(seen.last_refused, "v9") != NULL);
    put(&world, "c.yaml", EU("a", "99"));
    run(&world, 5);
    ck_assert(seen.refused == 3 && strstr(seen.last_refused, "a.yaml") != NULL); /* twice: the first file counts */
    ck_assert_int_eq(hf_json_int_or(json_object_get(seen.held, "a"), "spec.value", 0), 3);
    json_decref(seen.held);
    world_end(&world);
}
END_TEST

START_TEST(a_folder_that_is_gone_takes_nothing_away)
{
    struct world world;
    struct seen seen = {.upserts = 0};
    char *from, *to;
    world_start(&world);
    from = hf_asprintf("%s/source", world.dir);
    to = hf_asprintf("%s/pulled", world.dir);
    put(&world, "a.yaml", EU("a", "1"));
    subscribe(&world, &seen, "EdgeUpdate", NULL);
    run(&world, 2);
    ck_assert_int_eq(rename(from, to), 0); /* the stick is pulled */
    run(&world, 30);
    ck_assert(seen.lost == 1 && seen.gone == 0);
    ck_assert_int_eq(mkdir(from, 0755), 0); /* an empty mount point */
    run(&world, 30);
    ck_assert(seen.gone == 0 && seen.refused == 1 && strstr(seen.last_refused, "empty") != NULL);
    put(&world, "meant.yaml", "");
    run(&world, 5);
    ck_assert_uint_eq(seen.gone, 1);
    free(from);
    free(to);
    json_decref(seen.held);
    world_end(&world);
}
END_TEST

START_TEST(what_was_held_before)
{
    struct world world;
    struct seen seen = {.upserts = 0}, late = {.upserts = 0};
    world_start(&world);
    if (_i == 0)
        put(&world, "bad.yaml", "a: b: c");
    put(&world, "a.yaml", EU("a", "1"));
    subscribe(&world, &seen, "EdgeUpdate", (const char *const[]){"a", "old", NULL});
    run(&world, 10);
    ck_assert(seen.upserts == 1 && seen.synced == 1 && seen.gone == (_i == 0 ? 0 : 1));
    put(&world, "bad.yaml", EU("new", "1"));
    run(&world, 5);
    ck_assert(seen.upserts == 2 && seen.gone == 1);
    subscribe(&world, &late, "EdgeUpdate", (const char *const[]){"old", "a", NULL});
    run(&world, 5);
    ck_assert(late.upserts == 2 && late.gone == 1 && late.synced == 1 && seen.gone == 1);
    json_decref(seen.held);
    json_decref(late.held);
    world_end(&world);
}
END_TEST

START_TEST(ends_inside_a_sink)
{
    struct world world;
    struct seen seen = {.end_on_upsert = true};
    world_start(&world);
    put(&world, "a.yaml", EU("a", "1") "---\n" EU("b", "1"));
    subscribe(&world, &seen, "EdgeUpdate", NULL);
    run(&world, 10);
    ck_assert(seen.upserts == 1 && seen.synced == 0);
    json_decref(seen.held);
    world_end(&world);
}
END_TEST

/* A file system that does not answer: contact is lost within a minute, comes back with it, and the folder can be freed
 * meanwhile. */
START_TEST(a_scan_that_hangs)
{
    struct world world;
    struct seen seen = {.upserts = 0};
    world_start(&world);
    put(&world, "a.yaml", EU("a", "1"));
    subscribe(&world, &seen, "EdgeUpdate", NULL);
    run(&world, 600);
    ck_assert(seen.synced == 1 && seen.lost == 0);
    hangs = true;
    run(&world, 65);
    ck_assert_uint_eq(seen.lost, 1);
    uint64_t heard_ns = world.source->heard_ns(world.source->ctx);
    run(&world, 600);
    ck_assert_uint_eq(world.source->heard_ns(world.source->ctx), heard_ns);
    unsigned proven = seen.proven, lost = seen.lost;
    end_hanging();
    ck_assert_uint_eq(seen.proven, proven + 1);
    run(&world, 300);
    ck_assert(seen.lost == lost && seen.gone == 0 && seen.upserts == 1);
    put(&world, "a.yaml", EU("a", "2"));
    run(&world, 5);
    ck_assert_uint_eq(seen.upserts, 2);
    hangs = queued = true; /* all workers are busy with something else */
    run(&world, 300);
    ck_assert_uint_eq(seen.lost, lost);
    end_hanging();
    hangs = true;
    run(&world, 100);
    ck_assert_uint_eq(seen.lost, lost + 1);
    hf_folder_free(world.folder);
    world.folder = NULL;
    run(&world, 100);
    end_hanging();
    json_decref(seen.held);
    world_end(&world);
}
END_TEST

/* Every failing call of a look: objects that were read are kept, and the next look has everything. */
START_TEST(every_failing_call)
{
    for (uint64_t n = 1;; n++) {
        struct hf_simfs *fs = hf_simfs_new();
        struct hf_folder_view view = {.n = 0};
        hf_simfs_put(fs, "/d/a.yaml", EU("a", "1"), sizeof(EU("a", "1")) - 1, 0644);
        hf_simfs_put(fs, "/d/b.yaml", EU("b", "1"), sizeof(EU("b", "1")) - 1, 0644);
        hf_folder_scan(hf_simfs_ops(fs), "/d", HF_SIM_UNIX_START, HF_NS_PER_S, &view);
        ck_assert(view.r == 0 && view.n == 2 && view.complete && view.changed);
        hf_simfs_put(fs, "/d/a.yaml", EU("a", "22"), sizeof(EU("a", "22")) - 1, 0644);
        hf_simfs_fail_at(fs, n, EIO, 1);
        hf_folder_scan(hf_simfs_ops(fs), "/d", HF_SIM_UNIX_START, HF_NS_PER_S, &view);
        bool fired = hf_simfs_failed(fs) > 0;
        hf_simfs_fail_at(fs, 0, 0, 0);
        ck_assert(!fired || view.r < 0 || view.n_issues > 0 || !view.complete);
        ck_assert(view.n == 2 && json_array_size(view.files[0].objects) == 2 &&
                  json_array_size(view.files[1].objects) == 2);
        hf_simfs_put(fs, "/d/a.yaml", EU("a", "333"), sizeof(EU("a", "333")) - 1, 0644);
        for (int i = 0; i < 2; i++)
            hf_folder_scan(hf_simfs_ops(fs), "/d", HF_SIM_UNIX_START, HF_NS_PER_S, &view);
        ck_assert(view.r == 0 && view.complete && view.n == 2 && view.files[0].missing == 0);
        ck_assert_ptr_nonnull(strstr(json_string_value(json_array_get(view.files[0].objects, 1)), "\"value\":333"));
        hf_folder_view_done(&view);
        ck_assert_uint_eq(hf_simfs_open_fds(fs), 0);
        hf_simfs_free(fs);
        if (!fired)
            break;
        ck_assert_uint_lt(n, 100);
    }
}
END_TEST

START_TEST(bounded)
{
    struct hf_simfs *fs = hf_simfs_new();
    struct hf_folder_view view = {.n = 0};
    char name[32];

    for (int i = 0; i < HF_FOLDER_MAX_FILES + 20; i++) {
        (void)snprintf(name, sizeof(name), "/d/%04d.yaml", i);
        hf_simfs_put(fs, name, "", 0, 0644);
    }
    hf_folder_scan(hf_simfs_ops(fs), "/d", HF_SIM_UNIX_START, HF_NS_PER_S, &view);
    ck_assert(view.n == HF_FOLDER_MAX_FILES && view.left_out == 20 && view.n_issues == 1);
    ck_assert(!hf_folder_is_good(&view, view.whole));
    for (uint64_t n = 1; n <= 2; n++) { /* the folder can be neither opened nor listed: the files stay left out */
        hf_simfs_fail_at(fs, n, EIO, 1);
        hf_folder_scan(hf_simfs_ops(fs), "/d", HF_SIM_UNIX_START, HF_NS_PER_S, &view);
        hf_simfs_fail_at(fs, 0, 0, 0);
        ck_assert_msg(view.r == -EIO && view.left_out == 20 && !hf_folder_is_good(&view, view.whole), "call %d: %d %zu",
                      (int)n, view.r, view.left_out);
        hf_folder_scan(hf_simfs_ops(fs), "/d", HF_SIM_UNIX_START, HF_NS_PER_S, &view);
        ck_assert(view.r == 0 && view.left_out == 20 && view.n_issues == 0);
    }
    hf_folder_view_done(&view);
    hf_simfs_free(fs);
}
END_TEST

static unsigned n_unreadable;
static char unreadable_now[300];

static void on_unreadable(void *arg, const char *what, const struct hf_err *err)
{
    (void)arg;
    n_unreadable++;
    (void)snprintf(unreadable_now, sizeof(unreadable_now), "%s%s%s", what, err != NULL ? ": " : " mended",
                   err != NULL ? err->cause : "");
}

/* Of more files than are read one word is said, which stays until it is true no more. */
START_TEST(too_many_files)
{
    struct world world;
    struct seen seen = {.held = json_object()};
    struct hf_source_sink sink = {.arg = &seen, .refused = on_refused, .unreadable = on_unreadable};
    char name[32];

    world_start(&world);
    n_unreadable = 0;
    for (int i = 0; i < HF_FOLDER_MAX_FILES + 20; i++) {
        (void)snprintf(name, sizeof(name), "%04d.yaml", i);
        put(&world, name, "");
    }
    ck_assert_int_eq(world.source->subscribe(world.source->ctx, "EdgeUpdate", NULL, "", NULL, &sink, &seen.sub, NULL),
                     0);
    run(&world, 20);
    ck_assert(seen.refused == 1 && n_unreadable == 1);
    ck_assert_msg(strstr(unreadable_now, "20 of them are not read") != NULL, "%s", unreadable_now);
    for (int i = 0; i < 20; i++) {
        (void)snprintf(name, sizeof(name), "%04d.yaml", i);
        drop(&world, name);
    }
    run(&world, 20);
    ck_assert(seen.refused <= 2 &&
              strstr(unreadable_now, "mended") != NULL); /* their number may have fallen in between */
    json_decref(seen.held);
    world_end(&world);
}
END_TEST

START_TEST(a_name_that_is_not_utf8)
{
    struct world world;
    struct seen seen = {.upserts = 0};

    world_start(&world);
    put(&world, "caf\xe9.yaml", EU("a", "1"));
    put(&world, "b.yaml", EU("b", "1"));
    subscribe(&world, &seen, "EdgeUpdate", NULL);
    run(&world, 5);
    ck_assert_uint_eq(json_object_size(seen.held), 2);
    put(&world, "b.yaml", EU("b", "2"));
    run(&world, 5);
    ck_assert_int_eq(hf_json_int_or(json_object_get(seen.held, "b"), "spec.value", 0), 2);
    json_decref(seen.held);
    world_end(&world);
}
END_TEST

/* More bad files than one scan has room to report are all reported, each once; a long name is no other name. */
START_TEST(many_bad_files)
{
    struct world world;
    struct seen seen = {.held = json_object()};
    struct hf_source_sink sink = {.arg = &seen, .refused = on_refused, .unreadable = on_unreadable};
    enum { FILES = 2 * HF_FOLDER_MAX_ISSUES + 3, LONG = 200 };
    char name[LONG + 8];

    world_start(&world);
    n_unreadable = 0;
    for (int i = 0; i < FILES; i++) {
        (void)snprintf(name, sizeof(name), "%0*d.yaml", i == 0 ? LONG : 4, i);
        put(&world, name, "a: b: c");
    }
    ck_assert_int_eq(world.source->subscribe(world.source->ctx, "EdgeUpdate", NULL, "", NULL, &sink, &seen.sub, NULL),
                     0);
    run(&world, 30);
    ck_assert_msg(seen.refused == FILES && n_unreadable == FILES, "%u refused, %u unreadable", seen.refused,
                  n_unreadable);
    json_decref(seen.held);
    world_end(&world);
}
END_TEST

/* An object as large as an API server would take it is taken, a byte more is not: it is named, and others are not disturbed. */
START_TEST(large_objects)
{
    static const char head[] =
        "{\"apiVersion\":\"" HF_API_GROUP_VERSION "\",\"kind\":\"EdgeUpdate\",\"metadata\":{\"name\":\"big\","
        "\"annotations\":{\"a\":\"",
                      tail[] = "\"}}}";
    struct hf_simfs *fs = hf_simfs_new();
    struct hf_folder_view view = {.n = 0};
    size_t n = HF_API_MAX_OBJECT_BYTES + (size_t)_i;
    char *text = malloc(n);

    memset(text, 'x', n);
    memcpy(text, head, sizeof(head) - 1);
    memcpy(text + n - (sizeof(tail) - 1), tail, sizeof(tail) - 1);
    hf_simfs_put(fs, "/d/big.json", text, n, 0644);
    hf_simfs_put(fs, "/d/small.yaml", "apiVersion: v1\nkind: Node\nmetadata: {name: n}\n", 46, 0644);
    hf_folder_scan(hf_simfs_ops(fs), "/d", HF_SIM_UNIX_START + 60 * HF_NS_PER_S, HF_NS_PER_S, &view);
    ck_assert_uint_eq(view.n, 2);
    ck_assert_uint_eq(view.n_issues, (size_t)_i);
    ck_assert_uint_eq(json_array_size(view.files[0].objects), 2 - 2 * (size_t)_i);
    ck_assert_uint_eq(json_array_size(view.files[1].objects), 2);
    if (_i == 1)
        ck_assert_ptr_nonnull(strstr(view.issues[0].err.cause, "'big' is larger than 1048576 bytes"));
    hf_folder_view_done(&view);
    hf_simfs_free(fs);
    free(text);
}
END_TEST

/* ---- status ------------------------------------------------------------------------------------------------------- */

struct answer {
    unsigned n;
    int r;
    json_t *object;
};

static void on_done(void *arg, int r, uint64_t retry_after_ns, const json_t *object, const struct hf_err *err)
{
    struct answer *answer = arg;

    (void)retry_after_ns;
    ck_assert((r < 0) == (err != NULL));
    answer->n++;
    answer->r = r;
    json_decref(answer->object);
    answer->object = json_deep_copy(object);
}

static struct hf_delivery *apply(struct world *world, struct answer *answer, const char *text, const char *subresource)
{
    struct hf_delivery *delivery = NULL;
    json_t *body = json_loads(text, 0, NULL);

    ck_assert_int_eq(world->source->apply(world->source->ctx, body, subresource, on_done, answer, &delivery, NULL), 0);
    json_decref(body);
    return delivery;
}

static json_t *read_status(struct world *world, const char *name)
{
    char *path = hf_asprintf("%s/state/status/%s", world->dir, name);
    json_t *json = json_load_file(path, 0, NULL);

    free(path);
    return json;
}

START_TEST(status_becomes_files)
{
    struct world world;
    struct answer answer = {.n = 0};
    struct stat before, after;
    world_start(&world);
    char *path = hf_asprintf("%s/state/status/EdgeNode-n1.json", world.dir);
    (void)apply(&world, &answer, "{\"kind\":\"EdgeNode\",\"metadata\":{\"name\":\"n1\",\"labels\":{\"x\":\"1\"}}}",
                NULL);
    (void)apply(&world, &answer, "{\"kind\":\"EdgeNode\",\"metadata\":{\"name\":\"n1\"},\"status\":{\"sequence\":1}}",
                "status");
    run(&world, 1);
    ck_assert(answer.n == 2 && answer.r == 0);
    json_t *file = read_status(&world, "EdgeNode-n1.json");
    ck_assert_int_eq(hf_json_int_or(file, "status.sequence", 0), 1);
    ck_assert_str_eq(hf_json_str(file, "metadata.labels.x"), "1");
    ck_assert(json_equal(file, answer.object));
    json_decref(file);
    /* The same again is not written again. */
    ck_assert_int_eq(stat(path, &before), 0);
    (void)apply(&world, &answer, "{\"kind\":\"EdgeNode\",\"metadata\":{\"name\":\"n1\"},\"status\":{\"sequence\":1}}",
                "status");
    run(&world, 1);
    ck_assert_int_eq(stat(path, &after), 0);
    ck_assert(answer.n == 3 && answer.r == 0 && before.st_ino == after.st_ino);
    /* The main part is replaced, the status stays; a damaged file is no obstacle. */
    (void)apply(&world, &answer, "{\"kind\":\"EdgeNode\",\"metadata\":{\"name\":\"n1\"}}", NULL);
    run(&world, 1);
    file = read_status(&world, "EdgeNode-n1.json");
    ck_assert(hf_json_int_or(file, "status.sequence", 0) == 1 && hf_json_str(file, "metadata.labels.x") == NULL);
    json_decref(file);
    ck_assert_int_eq(truncate(path, 5), 0);
    (void)apply(&world, &answer, "{\"kind\":\"EdgeNode\",\"metadata\":{\"name\":\"n1\"},\"status\":{\"sequence\":2}}",
                "status");
    run(&world, 1);
    file = read_status(&world, "EdgeNode-n1.json");
    ck_assert_int_eq(hf_json_int_or(file, "status.sequence", 0), 2);
    json_decref(file);
    (void)apply(&world, &answer, "{\"kind\":\"EdgeNode\",\"metadata\":{\"name\":\"../n1\"}}", NULL);
    run(&world, 1);
    ck_assert_int_eq(answer.r, -EBADMSG);
    /* Abandoned: not called; a folder that is freed with a write on its way: nothing breaks. */
    unsigned n = answer.n;
    hf_source_abandon(apply(&world, &answer, "{\"kind\":\"EdgeNode\",\"metadata\":{\"name\":\"n2\"}}", NULL));
    run(&world, 1);
    (void)apply(&world, &answer, "{\"kind\":\"EdgeNode\",\"metadata\":{\"name\":\"n3\"}}", NULL);
    ck_assert_uint_eq(answer.n, n);
    json_decref(answer.object);
    free(path);
    world_end(&world);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_test(tc, follows);
    tcase_add_test(tc, of_two_objects_the_higher_sequence_counts);
    tcase_add_test(tc, lists_stand_for_their_items);
    tcase_add_test(tc, listed_again_when_asked);
    tcase_add_test(tc, a_file_counts_when_it_rests);
    tcase_add_test(tc, a_bad_file_keeps_its_objects);
    tcase_add_test(tc, a_folder_that_is_gone_takes_nothing_away);
    tcase_add_loop_test(tc, what_was_held_before, 0, 2);
    tcase_add_test(tc, ends_inside_a_sink);
    tcase_add_test(tc, a_scan_that_hangs);
    tcase_add_test(tc, every_failing_call);
    tcase_add_test(tc, bounded);
    tcase_add_test(tc, too_many_files);
    tcase_add_test(tc, a_name_that_is_not_utf8);
    tcase_add_test(tc, many_bad_files);
    tcase_add_loop_test(tc, large_objects, 0, 2);
    tcase_add_test(tc, status_becomes_files);
}
HF_TEST_MAIN("kube/folder", cases)
