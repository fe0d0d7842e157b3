/* SPDX-License-Identifier: Apache-2.0 */
#include "cache/cache.h"

#include <errno.h>

#include "cache/entry.h"
#include "support/check_main.h"
#include "support/fakes/simfs.h"

#define DIR "/var/lib/holdfast/cache"

static struct hf_simfs *disk;

static void set_up(void)
{
    disk = hf_simfs_new();
}

static void tear_down(void)
{
    ck_assert_uint_eq(hf_simfs_open_fds(disk), 0);
    hf_simfs_free(disk);
}

static struct hf_cache *open_cache(void)
{
    struct hf_cache *cache = NULL;
    struct hf_err err = HF_ERR_INIT;

    ck_assert_msg(hf_cache_open(hf_simfs_ops(disk), DIR, &cache, &err) == 0, "%s", err.cause);
    return cache;
}

static json_t *object(const char *name, int64_t version)
{
    json_t *json = json_pack("{s:s, s:{s:s}, s:{s:I}}", "kind", "EdgeUpdate", "metadata", "name", name, "spec", "v",
                             (json_int_t)version);

    ck_assert_ptr_nonnull(json);
    return json;
}

static int put(struct hf_cache *cache, const char *name, int64_t version)
{
    _cleanup_(hf_json_freep) json_t *json = object(name, version);

    return hf_cache_put(cache, "EdgeUpdate", json, NULL);
}

/* What a load gives, as "a=1 b=2 ". */
struct seen {
    char text[4096];
    struct hf_cache_resume mark;
    unsigned damaged;
};

static int see(void *arg, json_t *json)
{
    struct seen *seen = arg;
    size_t used = strlen(seen->text);

    (void)snprintf(seen->text + used, sizeof(seen->text) - used, "%.20s=%jd ", hf_json_str(json, "metadata.name"),
                   (intmax_t)hf_json_int_or(json, "spec.v", -1));
    return 0;
}

static struct seen load_from(struct hf_cache *cache)
{
    struct seen seen = {.text = ""};
    struct hf_err err = HF_ERR_INIT;

    ck_assert_msg(hf_cache_load(cache, "EdgeUpdate", "EdgeUpdate", see, &seen, &seen.mark, &seen.damaged, &err) == 0,
                  "%s", err.cause);
    return seen;
}

static struct seen load(void)
{
    _cleanup_(hf_cache_freep) struct hf_cache *cache = open_cache();

    return load_from(cache);
}

START_TEST(what_was_put_comes_back)
{
    _cleanup_(hf_cache_freep) struct hf_cache *cache = open_cache();
    const struct hf_cache_resume mark = {"4711", 1234567890123456789, "f00d"};

    ck_assert_str_eq(load_from(cache).text, "");
    ck_assert_int_eq(put(cache, "b", 1), 0);
    ck_assert_int_eq(put(cache, "a.x", 2), 0);
    ck_assert_int_eq(put(cache, "b", 3), 0);
    ck_assert_int_eq(hf_cache_set_resume(cache, "EdgeUpdate", &mark, NULL), 0);
    struct seen seen = load();
    ck_assert_str_eq(seen.text, "a.x=2 b=3 ");
    ck_assert_uint_eq(seen.damaged, 0);
    ck_assert_str_eq(seen.mark.resource_version, "4711");
    ck_assert_uint_eq(seen.mark.last_contact_unix_ns, 1234567890123456789);
    ck_assert_str_eq(seen.mark.labels, "f00d");
    ck_assert_int_eq(hf_cache_remove(cache, "EdgeUpdate", "b", NULL), 0);
    ck_assert_int_eq(hf_cache_remove(cache, "EdgeUpdate", "never-there", NULL), 0);
    ck_assert_str_eq(load().text, "a.x=2 ");
}
END_TEST

/* A process is killed at some call of a change. The next one sees what that left in the page cache, and saves a later
 * resume point. After a power cut, the objects are still those that belong to it. */
START_TEST(what_was_loaded_stays_behind_a_resume_point)
{
    const struct hf_cache_resume marks[] = {{"1", 1, ""}, {"2", 2, ""}};
    bool stopped = true;

    for (uint64_t n = 1; stopped; n++) {
        struct hf_cache *cache = open_cache();
        ck_assert_int_eq(put(cache, "a", 1), 0);
        ck_assert_int_eq(put(cache, "b", 1), 0);
        ck_assert_int_eq(hf_cache_set_resume(cache, "EdgeUpdate", &marks[0], NULL), 0);
        hf_simfs_stop_at(disk, n);
        (void)!put(cache, "a", 2);
        (void)!hf_cache_remove(cache, "EdgeUpdate", "b", NULL);
        stopped = hf_simfs_stopped(disk);
        hf_cache_free(cache);
        hf_simfs_kill(disk);
        hf_simfs_stop_at(disk, 0);
        cache = open_cache();
        struct seen seen = load_from(cache);
        ck_assert_int_eq(hf_cache_set_resume(cache, "EdgeUpdate", &marks[1], NULL), 0);
        hf_cache_free(cache);
        hf_simfs_power_cut(disk, HF_SIMFS_LOSE_ALL);
        struct seen after = load();
        ck_assert_str_eq(after.mark.resource_version, "2");
        ck_assert_msg(strcmp(after.text, seen.text) == 0, "killed at call %d: %sbefore, %safter", (int)n, seen.text,
                      after.text);
    }
}
END_TEST

/* A mark of a version that did not say what it left out: everything is listed once. */
START_TEST(mark_of_an_earlier_version)
{
    _cleanup_(hf_cache_freep) struct hf_cache *cache = open_cache();
    _cleanup_(hf_json_freep) json_t *json =
        json_pack("{s:s, s:I}", "resourceVersion", "4711", "lastContact", (json_int_t)5);
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(1024);
    char hex[HF_SHA256_HEX];

    ck_assert_int_eq(put(cache, "a", 1), 0);
    ck_assert_int_eq(hf_cache_entry_format(json, &text, hex), 0);
    hf_simfs_put(disk, DIR "/EdgeUpdate.mark", text.p, text.n, 0600);
    struct seen seen = load();
    ck_assert_str_eq(seen.text, "a=1 ");
    ck_assert_uint_eq(seen.damaged, 0);
    ck_assert_str_eq(seen.mark.resource_version, "");
    ck_assert_uint_eq(seen.mark.last_contact_unix_ns, 5);
}
END_TEST

START_TEST(kinds_are_apart)
{
    _cleanup_(hf_cache_freep) struct hf_cache *cache = open_cache();
    _cleanup_(hf_json_freep) json_t *json = object("a", 7);

    ck_assert_int_eq(put(cache, "a", 1), 0);
    ck_assert_int_eq(hf_cache_put(cache, "SyncPolicy", json, NULL), 0);
    ck_assert_int_eq(hf_cache_remove(cache, "SyncPolicy", "a", NULL), 0);
    ck_assert_str_eq(load().text, "a=1 ");
}
END_TEST

START_TEST(nothing_is_written_twice)
{
    _cleanup_(hf_cache_freep) struct hf_cache *cache = open_cache();
    _cleanup_(hf_cache_freep) struct hf_cache *again = NULL;
    const struct hf_cache_resume mark = {"1", 5, ""};

    ck_assert_int_eq(put(cache, "a", 1), 0);
    ck_assert_int_eq(hf_cache_set_resume(cache, "EdgeUpdate", &mark, NULL), 0);
    again = open_cache();
    (void)load_from(again);
    hf_simfs_count_only(disk, HF_SIMFS_WRITES);
    uint64_t before = hf_simfs_calls(disk);
    ck_assert_int_eq(put(cache, "a", 1), 0);
    ck_assert_int_eq(put(again, "a", 1), 0);
    ck_assert_int_eq(hf_cache_set_resume(cache, "EdgeUpdate", &mark, NULL), 0);
    ck_assert_int_eq(hf_cache_set_resume(again, "EdgeUpdate", &mark, NULL), 0);
    ck_assert_uint_eq(hf_simfs_calls(disk), before);
    ck_assert_int_eq(put(again, "a", 2), 0);
    ck_assert_uint_gt(hf_simfs_calls(disk), before);
}
END_TEST

START_TEST(names)
{
    static const char *const bad[] = {"", "../x", "a/b", ".", "..", "A", "x~y", "a b", ".hidden"};
    _cleanup_(hf_cache_freep) struct hf_cache *cache = open_cache();
    _cleanup_(hf_json_freep) json_t *json = object("good", 1), *nameless = json_object();
    char longest[254], other[254];

    for (size_t i = 0; i < HF_LEN(bad); i++) {
        ck_assert_msg(put(cache, bad[i], 1) == -EINVAL, "%s", bad[i]);
        ck_assert_int_eq(hf_cache_remove(cache, "EdgeUpdate", bad[i], NULL), -EINVAL);
        ck_assert_int_eq(hf_cache_put(cache, bad[i][0] == 'A' ? "A1" : bad[i], json, NULL), -EINVAL);
    }
    ck_assert_int_eq(hf_cache_put(cache, "EdgeUpdate", nameless, NULL), -EINVAL);
    memset(longest, 'n', sizeof(longest));
    longest[253] = '\0';
    memcpy(other, longest, sizeof(other));
    other[252] = 'm';
    ck_assert_int_eq(put(cache, longest, 1), 0);
    ck_assert_int_eq(put(cache, other, 2), 0);
    struct seen seen = load();
    ck_assert_uint_eq(seen.damaged, 0);
    ck_assert_uint_eq(strlen(seen.text), 2 * 23);
    ck_assert_int_eq(hf_cache_remove(cache, "EdgeUpdate", longest, NULL), 0);
    ck_assert_str_eq(load().text, "nnnnnnnnnnnnnnnnnnnn=2 ");
}
END_TEST

START_TEST(size_is_bounded)
{
    _cleanup_(hf_cache_freep) struct hf_cache *cache = open_cache();
    _cleanup_(hf_json_freep) json_t *json = object("big", 1);
    _cleanup_(hf_freep) char *text = calloc(1, HF_CACHE_ENTRY_MAX + 1);

    memset(text, 'x', HF_CACHE_ENTRY_MAX);
    ck_assert_int_eq(hf_json_put(json, "spec.text", json_string(text)), 0);
    ck_assert_int_eq(hf_cache_put(cache, "EdgeUpdate", json, NULL), -E2BIG);
    /* 63 objects of a mebibyte and a bit more fit into the whole, 80 do not. */
    text[(1 << 20) - 200] = '\0';
    int stored = 0, r = 0;
    for (; stored < 80 && r == 0; stored++) {
        char name[16];
        (void)snprintf(name, sizeof(name), "big-%d", stored);
        ck_assert_int_eq(hf_json_put(json, "spec.text", json_string(text)), 0);
        ck_assert_int_eq(hf_json_put(json, "metadata.name", json_string(name)), 0);
        r = hf_cache_put(cache, "EdgeUpdate", json, NULL);
    }
    ck_assert_int_eq(r, -E2BIG);
    ck_assert_int_ge(stored, 64);
    ck_assert_int_eq(hf_cache_remove(cache, "EdgeUpdate", "big-0", NULL), 0);
    ck_assert_int_eq(hf_cache_put(cache, "EdgeUpdate", json, NULL), 0);
}
END_TEST

/* ---- damage ------------------------------------------------------------------------------------------------------------- */

static void fill(void)
{
    _cleanup_(hf_cache_freep) struct hf_cache *cache = open_cache();
    const struct hf_cache_resume mark = {"5", 77, ""};

    for (int i = 0; i < 3; i++) {
        static const char *const name[] = {"a", "b", "c"};
        ck_assert_int_eq(put(cache, name[i], i + 1), 0);
    }
    ck_assert_int_eq(hf_cache_set_resume(cache, "EdgeUpdate", &mark, NULL), 0);
}

static void expect_set_aside(const char *why, const char *told)
{
    _cleanup_(hf_cache_freep) struct hf_cache *cache = open_cache();
    struct seen seen = load_from(cache);

    ck_assert_msg(strcmp(seen.text, "a=1 c=3 ") == 0, "%s: %s", why, seen.text);
    ck_assert_msg(seen.damaged == 1, "%s: %u", why, seen.damaged);
    ck_assert_msg(seen.mark.resource_version[0] == '\0', "%s", why);
    ck_assert_uint_eq(seen.mark.last_contact_unix_ns, 77);
    ck_assert_msg(strstr(hf_cache_damage(cache), told) != NULL, "%s: '%s' is not in '%s'", why, told,
                  hf_cache_damage(cache));
    /* What was lost is known to be lost at the next start too. */
    struct seen next = load();
    ck_assert_str_eq(next.text, "a=1 c=3 ");
    ck_assert_uint_eq(next.damaged, 0);
    ck_assert_str_eq(next.mark.resource_version, "");
}

START_TEST(every_byte_counts)
{
    size_t n = 0;
    _cleanup_(hf_freep) char *copy = NULL;

    fill();
    const void *text = hf_simfs_get(disk, DIR "/EdgeUpdate/b.json", &n);
    copy = malloc(n);
    memcpy(copy, text, n);
    for (size_t i = 0; i < n; i++) {
        fill();
        copy[i] ^= 1;
        hf_simfs_put(disk, DIR "/EdgeUpdate/b.json", copy, n, 0600);
        copy[i] ^= 1;
        expect_set_aside("a bit", "'EdgeUpdate/b.json'");
    }
    for (size_t i = 0; i < n; i++) {
        fill();
        hf_simfs_put(disk, DIR "/EdgeUpdate/b.json", copy, i, 0600);
        expect_set_aside("cut", "'EdgeUpdate/b.json'");
    }
}
END_TEST

START_TEST(other_damage)
{
    _cleanup_(hf_buf_done) struct hf_buf entry = HF_BUF_INIT(HF_CACHE_ENTRY_MAX);
    _cleanup_(hf_json_freep) json_t *other = object("other", 1), *nameless = json_array();
    _cleanup_(hf_freep) char *huge = malloc(HF_CACHE_ENTRY_MAX + 1);
    char hex[HF_SHA256_HEX];

    fill();
    ck_assert_int_eq(hf_cache_entry_format(other, &entry, hex), 0);
    hf_simfs_put(disk, DIR "/EdgeUpdate/b.json", entry.p, entry.n, 0600);
    expect_set_aside("another object under this name", "holds 'other'");
    fill();
    hf_buf_clear(&entry);
    ck_assert_int_eq(hf_cache_entry_format(nameless, &entry, hex), 0);
    hf_simfs_put(disk, DIR "/EdgeUpdate/b.json", entry.p, entry.n, 0600);
    expect_set_aside("no object", "no valid metadata.name");
    fill();
    entry.p[15] = '2';
    hf_simfs_put(disk, DIR "/EdgeUpdate/b.json", entry.p, entry.n, 0600);
    expect_set_aside("another format", "not a cache file of format 1");
    fill();
    memset(huge, 'x', HF_CACHE_ENTRY_MAX + 1);
    hf_simfs_put(disk, DIR "/EdgeUpdate/b.json", huge, HF_CACHE_ENTRY_MAX + 1, 0600);
    expect_set_aside("huge", "longer than");
    fill();
    hf_simfs_delete(disk, DIR "/EdgeUpdate/b.json");
    hf_simfs_mkdir(disk, DIR "/EdgeUpdate/b.json", 0700);
    expect_set_aside("a folder", "not a regular file");
}
END_TEST

START_TEST(damaged_mark)
{
    fill();
    hf_simfs_put(disk, DIR "/EdgeUpdate.mark", "garbage", 7, 0600);
    struct seen seen = load();
    ck_assert_str_eq(seen.text, "a=1 b=2 c=3 ");
    ck_assert_uint_eq(seen.damaged, 1);
    ck_assert_str_eq(seen.mark.resource_version, "");
    ck_assert_uint_eq(seen.mark.last_contact_unix_ns, 0);
    seen = load();
    ck_assert_uint_eq(seen.damaged, 0);
}
END_TEST

static void count_path(void *arg, const char *path, const struct stat *st)
{
    (void)st;
    *(unsigned *)arg += strstr(path, "/damaged/") != NULL;
}

START_TEST(the_damaged_folder_is_bounded)
{
    unsigned n = 0;

    fill();
    for (int i = 0; i < 3 * HF_CACHE_MAX_DAMAGED; i++) {
        char path[200];
        (void)snprintf(path, sizeof(path), DIR "/EdgeUpdate/bad-%d.json", i);
        hf_simfs_put(disk, path, "x", 1, 0600);
    }
    ck_assert_uint_eq(load().damaged, 3 * HF_CACHE_MAX_DAMAGED);
    ck_assert_uint_eq(load().damaged, 0);
    hf_simfs_walk(disk, DIR, count_path, &n);
    ck_assert_uint_eq(n, HF_CACHE_MAX_DAMAGED);
}
END_TEST

/* A refused version is damaged: no process resumes after that, so that the source sends the object again. */
START_TEST(damaged_refused_version)
{
    _cleanup_(hf_json_freep) json_t *json = object("d", 4);
    const char *path = DIR "/EdgeUpdateRefused/d.json";
    struct seen seen = {.text = ""};

    fill();
    struct hf_cache *cache = open_cache();
    (void)load_from(cache);
    ck_assert_int_eq(hf_cache_put(cache, "EdgeUpdateRefused", json, NULL), 0);
    hf_cache_free(cache);
    hf_simfs_put(disk, path, "damaged", 7, 0600);
    cache = open_cache();
    ck_assert_str_eq(load_from(cache).mark.resource_version, "5");
    ck_assert_int_eq(
        hf_cache_load(cache, "EdgeUpdateRefused", "EdgeUpdate", see, &seen, &seen.mark, &seen.damaged, NULL), 0);
    ck_assert_uint_eq(seen.damaged, 1);
    ck_assert_str_eq(seen.mark.resource_version, "");
    hf_cache_free(cache);
    ck_assert_ptr_null(hf_simfs_get(disk, path, NULL));
    seen = load();
    ck_assert_str_eq(seen.text, "a=1 b=2 c=3 ");
    ck_assert_str_eq(seen.mark.resource_version, "");
}
END_TEST

START_TEST(left_over_replacements_go)
{
    fill();
    hf_simfs_put(disk, DIR "/EdgeUpdate/a.json.new", "half", 4, 0600);
    struct seen seen = load();
    ck_assert_str_eq(seen.text, "a=1 b=2 c=3 ");
    ck_assert_uint_eq(seen.damaged, 0);
    ck_assert_str_eq(seen.mark.resource_version, "5");
    ck_assert_ptr_null(hf_simfs_get(disk, DIR "/EdgeUpdate/a.json.new", NULL));
}
END_TEST

static int stop(void *arg, json_t *json)
{
    (void)json;
    return ++*(int *)arg == 2 ? -ECANCELED : 0;
}

START_TEST(visit_may_stop)
{
    _cleanup_(hf_cache_freep) struct hf_cache *cache = open_cache();
    struct hf_cache_resume mark;
    unsigned damaged;
    int n = 0;

    fill();
    ck_assert_int_eq(hf_cache_load(cache, "EdgeUpdate", "EdgeUpdate", stop, &n, &mark, &damaged, NULL), -ECANCELED);
    ck_assert_int_eq(n, 2);
}
END_TEST

/* ---- cuts and faults ------------------------------------------------------------------------------------------------------ */

/* A life in steps; each is durable once it returned. */
static int step(struct hf_cache *cache, int i)
{
    const struct hf_cache_resume five = {"5", 50, ""}, nine = {"9", 90, ""};

    switch (i) {
    case 0:
        return put(cache, "a", 1);
    case 1:
        return put(cache, "b", 1);
    case 2:
        return hf_cache_set_resume(cache, "EdgeUpdate", &five, NULL);
    case 3:
        return put(cache, "a", 2);
    case 4:
        return hf_cache_remove(cache, "EdgeUpdate", "b", NULL);
    case 5:
        return hf_cache_set_resume(cache, "EdgeUpdate", &nine, NULL);
    default:
        return -ENOENT;
    }
}

static const struct {
    const char *text, *mark;
} after[] = {{"", ""},          {"a=1 ", ""},  {"a=1 b=1 ", ""}, {"a=1 b=1 ", "5"},
             {"a=2 b=1 ", "5"}, {"a=2 ", "5"}, {"a=2 ", "9"}};
enum { N_STEPS = HF_LEN(after) - 1 };

static bool is_after(const struct seen *seen, int steps)
{
    return strcmp(seen->text, after[steps].text) == 0 && strcmp(seen->mark.resource_version, after[steps].mark) == 0;
}

START_TEST(power_cut_at_every_call)
{
    uint64_t seed = (uint64_t)_i * 1000003, cuts = 0;

    for (uint64_t n = 1; n < 1000; n++) {
        _cleanup_(hf_cache_freep) struct hf_cache *cache = NULL;
        int done = 0;

        tear_down();
        set_up();
        hf_simfs_mkdir(disk, "/var/lib", 0755);
        hf_simfs_stop_at(disk, n);
        if (hf_cache_open(hf_simfs_ops(disk), DIR, &cache, NULL) == 0)
            while (done < N_STEPS && step(cache, done) == 0)
                done++;
        bool stopped = hf_simfs_stopped(disk);
        hf_simfs_power_cut(disk, seed + n);
        struct seen seen = load();
        ck_assert_msg(seen.damaged == 0, "cut at call %ju: damaged", (uintmax_t)n);
        ck_assert_msg(is_after(&seen, done) || (done < N_STEPS && is_after(&seen, done + 1)),
                      "cut at call %ju after %d steps: '%s' mark '%s'", (uintmax_t)n, done, seen.text,
                      seen.mark.resource_version);
        cuts++;
        if (!stopped)
            break;
    }
    ck_assert_uint_gt(cuts, 30);
}
END_TEST

START_TEST(a_fault_at_every_call)
{
    static const int codes[] = {EIO, ENOSPC, EROFS};
    uint64_t n;

    for (n = 1; n < 1000; n++) {
        _cleanup_(hf_cache_freep) struct hf_cache *cache = NULL;

        tear_down();
        set_up();
        cache = open_cache();
        hf_simfs_fail_at(disk, n, codes[_i], 1);
        /* What failed is tried again, as the caller does. */
        for (int i = 0; i < N_STEPS; i++) {
            int r = step(cache, i);
            if (r < 0)
                r = step(cache, i);
            ck_assert_msg(r == 0, "call %ju, step %d: %d", (uintmax_t)n, i, r);
        }
        bool fired = hf_simfs_failed(disk) > 0;
        hf_simfs_fail_at(disk, 0, 0, 0);
        hf_simfs_power_cut(disk, n);
        struct seen seen = load();
        ck_assert_msg(is_after(&seen, N_STEPS) && seen.damaged == 0, "call %ju: '%s'", (uintmax_t)n, seen.text);
        if (!fired)
            break;
    }
    ck_assert_uint_gt(n, 25);
}
END_TEST

/* A cut while damage is being dealt with: the loss is known, or it is found again. */
START_TEST(power_cut_while_setting_aside)
{
    for (uint64_t n = 1; n < 1000; n++) {
        _cleanup_(hf_cache_freep) struct hf_cache *cache = NULL;
        struct seen seen = {.text = ""};

        tear_down();
        set_up();
        fill();
        hf_simfs_put(disk, DIR "/EdgeUpdate/b.json", "x", 1, 0600);
        cache = open_cache();
        hf_simfs_stop_at(disk, n);
        int r = hf_cache_load(cache, "EdgeUpdate", "EdgeUpdate", see, &seen, &seen.mark, &seen.damaged, NULL);
        ck_assert(r < 0 || seen.mark.resource_version[0] == '\0' || seen.damaged == 0);
        bool stopped = hf_simfs_stopped(disk);
        hf_simfs_power_cut(disk, n + (uint64_t)_i * 7919);
        seen = load();
        ck_assert_str_eq(seen.text, "a=1 c=3 ");
        ck_assert_msg(seen.mark.resource_version[0] == '\0', "cut at call %ju: '%s' looks complete", (uintmax_t)n,
                      seen.text);
        if (!stopped)
            break;
        ck_assert_uint_lt(n, 999);
    }
}
END_TEST

/* A fault while loading: an error, or told as damage; never silently less. */
START_TEST(a_fault_at_every_call_of_loading)
{
    for (uint64_t n = 1; n < 1000; n++) {
        _cleanup_(hf_cache_freep) struct hf_cache *cache = NULL;
        struct seen seen = {.text = ""};

        tear_down();
        set_up();
        fill();
        cache = open_cache();
        hf_simfs_fail_at(disk, n, _i == 0 ? EIO : EMFILE, 1);
        int r = hf_cache_load(cache, "EdgeUpdate", "EdgeUpdate", see, &seen, &seen.mark, &seen.damaged, NULL);
        ck_assert_msg(r < 0 || strcmp(seen.text, "a=1 b=2 c=3 ") == 0 ||
                          (seen.damaged > 0 && seen.mark.resource_version[0] == '\0'),
                      "call %ju: '%s'", (uintmax_t)n, seen.text);
        if (hf_simfs_failed(disk) == 0)
            break;
        ck_assert_uint_lt(n, 999);
    }
    hf_simfs_fail_at(disk, 0, 0, 0);
}
END_TEST

/* A process is killed at call n of a change, and the next one cannot sync what it finds. It asks for a list, and writes
 * what it is given, also if it has read the same from the disk: a power cut takes nothing back that is in front of the
 * next resume point. Returns false if the change has fewer than n calls. */
static bool kill_before_list(uint64_t n)
{
    struct hf_cache *cache;

    tear_down();
    set_up();
    cache = open_cache();
    ck_assert_int_eq(put(cache, "a", 1), 0);
    hf_simfs_count_only(disk, HF_SIMFS_WRITES);
    hf_simfs_stop_at(disk, n);
    (void)!put(cache, "a", 2);
    bool stopped = hf_simfs_stopped(disk);
    hf_cache_free(cache);
    hf_simfs_kill(disk);
    cache = open_cache();
    hf_simfs_fail_at(disk, 2, EIO, 1); /* the first call removes an unfinished file */
    (void)load_from(cache);
    ck_assert_uint_eq(hf_simfs_failed(disk), 1);
    hf_simfs_fail_at(disk, 0, 0, 0);
    ck_assert_int_eq(put(cache, "a", 2), 0);
    ck_assert_int_eq(hf_cache_set_resume(cache, "EdgeUpdate", &(struct hf_cache_resume){.resource_version = "2"}, NULL),
                     0);
    hf_cache_free(cache);
    hf_simfs_power_cut(disk, HF_SIMFS_LOSE_ALL);
    struct seen seen = load();
    ck_assert_msg(strcmp(seen.text, "a=2 ") == 0 && strcmp(seen.mark.resource_version, "2") == 0,
                  "call %ju: '%s' at %s", (uintmax_t)n, seen.text, seen.mark.resource_version);
    return stopped;
}

START_TEST(kill_before_a_list)
{
    uint64_t n = 1;

    while (kill_before_list(n))
        n++;
    ck_assert_uint_gt(n, 5);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_add_test(tc, what_was_put_comes_back);
    tcase_add_test(tc, kinds_are_apart);
    tcase_add_test(tc, nothing_is_written_twice);
    tcase_add_test(tc, what_was_loaded_stays_behind_a_resume_point);
    tcase_add_test(tc, mark_of_an_earlier_version);
    tcase_add_test(tc, names);
    tcase_add_test(tc, size_is_bounded);
    tcase_add_test(tc, every_byte_counts);
    tcase_add_test(tc, other_damage);
    tcase_add_test(tc, damaged_mark);
    tcase_add_test(tc, the_damaged_folder_is_bounded);
    tcase_add_test(tc, damaged_refused_version);
    tcase_add_test(tc, left_over_replacements_go);
    tcase_add_test(tc, visit_may_stop);
    tcase_add_loop_test(tc, power_cut_at_every_call, 0, 8);
    tcase_add_loop_test(tc, a_fault_at_every_call, 0, 3);
    tcase_add_test(tc, kill_before_a_list);
    tcase_add_loop_test(tc, power_cut_while_setting_aside, 0, 8);
    tcase_add_loop_test(tc, a_fault_at_every_call_of_loading, 0, 2);
}
HF_TEST_MAIN("cache/cache", cases)
