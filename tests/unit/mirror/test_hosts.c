/* SPDX-License-Identifier: Apache-2.0 */
/* The files by which containerd asks the mirror, beside those of others: power cuts, full disks, disks that refuse. */
#include "mirror/hosts.h"

#include <errno.h>
#include <string.h>

#include "base/macros.h"
#include "support/check_main.h"
#include "support/fakes/simfs.h"

#define ETC "/etc/containerd/certs.d"
#define K3S "/var/lib/rancher/k3s/agent/etc/containerd/certs.d"
#define TEXT "[host.\"http://127.0.0.1:295\"]\n"
#define OTHER_TEXT "[host.\"http://127.0.0.1:9195\"]\n"
#define PERSONS "server = \"https://images.example\"\n"

static struct hf_simfs *disk;
static struct hf_mirror_hosts_done done;
static const char *const two[] = {"images.example", "http://plain.example:5000", NULL}, *const none[] = {NULL};

static const struct hf_mirror_hosts_place *etc(void)
{
    const struct hf_mirror_hosts_place *place = hf_mirror_hosts_places;

    while (strcmp(place->folder, ETC) != 0)
        place++;
    return place;
}

static int settle(const struct hf_mirror_hosts_place *place, const char *const *registries, const char *text)
{
    struct hf_err err = HF_ERR_INIT;

    return hf_mirror_hosts_settle(hf_simfs_ops(disk), "", place, registries, hf_view_of(text), &done, &err);
}

static void put(const char *path, const char *text)
{
    hf_simfs_put(disk, path, text, strlen(text), 0644);
}

static bool is_there(const char *path)
{
    struct stat st;

    return hf_simfs_stat(disk, path, &st);
}

static bool has(const char *path, const char *mark, const char *text)
{
    size_t n = 0, m = strlen(mark);
    const char *bytes = hf_simfs_get(disk, path, &n);

    return bytes != NULL && n == m + strlen(text) && memcmp(bytes, mark, m) == 0 && memcmp(bytes + m, text, n - m) == 0;
}

static bool is_ours(const char *path, const char *text)
{
    return has(path, HF_MIRROR_HOSTS_MARK, text);
}

START_TEST(gives_and_takes)
{
    struct stat st;

    ck_assert_int_eq(settle(etc(), two, TEXT), 0);
    ck_assert(is_ours(ETC "/images.example/hosts.toml", TEXT) && is_ours(ETC "/plain.example:5000/hosts.toml", TEXT));
    ck_assert(hf_simfs_stat(disk, ETC "/images.example/hosts.toml", &st) && (st.st_mode & 0777) == 0600);
    ck_assert(done.changed == 2 && done.foreign == 0);
    uint64_t changes = hf_simfs_changes(disk);
    ck_assert_int_eq(settle(etc(), two, TEXT), 0);
    ck_assert(done.changed == 0 && hf_simfs_changes(disk) == changes);
    ck_assert_int_eq(settle(etc(), two, OTHER_TEXT), 0);
    ck_assert(is_ours(ETC "/images.example/hosts.toml", OTHER_TEXT) && done.changed == 2);
    ck_assert_int_eq(settle(etc(), two + 1, OTHER_TEXT), 0);
    ck_assert(!is_there(ETC "/images.example") && is_there(ETC "/plain.example:5000") && done.changed == 1);
    ck_assert_int_eq(settle(NULL, none, ""), 0);
    ck_assert(!is_there(ETC "/plain.example:5000") && is_there(ETC) && done.changed == 1);
}
END_TEST

/* K3s came onto a node, or went: the files are where its containerd looks. */
START_TEST(follows_the_place)
{
    ck_assert_int_eq(settle(etc(), two, TEXT), 0);
    ck_assert_int_eq(settle(hf_mirror_hosts_places, two, TEXT), 0);
    ck_assert(is_ours(K3S "/images.example/hosts.toml", TEXT) && !is_there(ETC "/images.example"));
    ck_assert_uint_eq(done.changed, 4);
}
END_TEST

/* What others have for a registry stays, also what containerd would look at before ours, or would lose by ours. */
START_TEST(leaves_others_alone)
{
    static const char *const paths[] = {ETC "/images.example/hosts.toml", ETC "/images.example/ca.crt",
                                        ETC "/_default/hosts.toml"};

    put(paths[_i], PERSONS);
    put(ETC "/plain.example_5000_/client.cert", "x");
    ck_assert_int_eq(settle(etc(), two, TEXT), 0);
    ck_assert(has(paths[_i], "", PERSONS) && !is_there(ETC "/plain.example:5000"));
    ck_assert(done.changed == 0 && done.foreign == 2 && strncmp(done.first, ETC "/", sizeof(ETC)) == 0);
    ck_assert_int_eq(settle(NULL, none, ""), 0);
    ck_assert(has(paths[_i], "", PERSONS) && done.changed == 0);
}
END_TEST

START_TEST(keeps_what_became_a_persons)
{
    ck_assert_int_eq(settle(etc(), two, TEXT), 0);
    put(ETC "/images.example/hosts.toml", TEXT PERSONS); /* without our first line */
    put(ETC "/plain.example:5000/ca.crt", "x");          /* beside our file */
    ck_assert_int_eq(settle(etc(), two, OTHER_TEXT), 0);
    ck_assert(done.foreign == 1 && is_ours(ETC "/plain.example:5000/hosts.toml", OTHER_TEXT));
    ck_assert_int_eq(settle(NULL, none, ""), 0);
    ck_assert(has(ETC "/images.example/hosts.toml", "", TEXT PERSONS));
    ck_assert(is_there(ETC "/plain.example:5000/ca.crt") && !is_there(ETC "/plain.example:5000/hosts.toml"));
}
END_TEST

/* Where it may not write, as where its unit lets it not, it says of nothing that it is done. */
START_TEST(counts_what_is_done)
{
    const struct {
        const struct hf_mirror_hosts_place *place;
        const char *const *registries;
        const char *text;
    } steps[] = {{etc(), two, TEXT}, {etc(), two, OTHER_TEXT}, {NULL, none, ""}};

    for (size_t i = 0; i < HF_LEN(steps); i++) {
        hf_simfs_count_only(disk, HF_SIMFS_WRITES);
        hf_simfs_fail_at(disk, 1, EROFS, 0);
        ck_assert_int_lt(settle(steps[i].place, steps[i].registries, steps[i].text), 0);
        ck_assert_uint_eq(done.changed, 0);
        hf_simfs_fail_at(disk, 0, 0, 0);
        ck_assert_int_eq(settle(steps[i].place, steps[i].registries, steps[i].text), 0);
        ck_assert_uint_eq(done.changed, 2);
    }
}
END_TEST

/* A pull works: containerd finds a folder of a registry only with a whole file of ours in it. */
static void check_pull(const char *registry)
{
    char folder[300], file[320];

    (void)snprintf(folder, sizeof(folder), ETC "/%s", registry);
    (void)snprintf(file, sizeof(file), "%s/hosts.toml", folder);
    ck_assert_msg(!is_there(folder) || is_ours(file, TEXT) || is_ours(file, OTHER_TEXT), "%s", registry);
}

static void no_spare(void *arg, const char *path, const struct stat *st)
{
    (void)arg;
    (void)st;
    ck_assert_msg(strstr(path, ".holdfast-") == NULL && strstr(path, ".new") == NULL, "%s is left", path);
}

/* From one state to another: at the nth call the power goes, or that call fails. False: there is no such call. */
static bool fails_at(uint64_t n, const unsigned way[2], int code)
{
    static const struct {
        bool here;
        const char *text;
    } states[] = {{false, ""}, {true, TEXT}, {true, OTHER_TEXT}};
    const bool from = states[way[0]].here, to = states[way[1]].here;

    disk = hf_simfs_new();
    hf_simfs_mkdir(disk, "/etc/containerd", 0755);
    ck_assert_int_eq(settle(from ? etc() : NULL, from ? two : none, states[way[0]].text), 0);
    hf_simfs_count_only(disk, HF_SIMFS_WRITES);
    if (code == 0)
        hf_simfs_stop_at(disk, n);
    else
        hf_simfs_fail_at(disk, n, code, 1);
    int r = settle(to ? etc() : NULL, to ? two : none, states[way[1]].text);
    bool met = code == 0 ? hf_simfs_stopped(disk) : hf_simfs_failed(disk) > 0;
    ck_assert(met || r == 0);
    hf_simfs_fail_at(disk, 0, 0, 0);
    if (code == 0)
        hf_simfs_power_cut(disk, n * 31 + way[0] * 7 + way[1]);
    check_pull("images.example");
    check_pull("plain.example:5000");
    ck_assert_int_eq(settle(to ? etc() : NULL, to ? two : none, states[way[1]].text), 0);
    hf_simfs_walk(disk, ETC, no_spare, NULL);
    for (unsigned i = 0; i < 2; i++) {
        const char *file = i == 0 ? ETC "/images.example/hosts.toml" : ETC "/plain.example:5000/hosts.toml";
        ck_assert_msg(to ? is_ours(file, states[way[1]].text) : !is_there(file), "call %ju", (uintmax_t)n);
    }
    hf_simfs_free(disk);
    disk = NULL;
    return met;
}

START_TEST(survives)
{
    static const unsigned ways[][2] = {{0, 1}, {1, 2}, {1, 0}};
    static const int codes[] = {0, ENOSPC, EIO};

    hf_simfs_free(disk);
    for (uint64_t n = 1; fails_at(n, ways[_i / 3], codes[_i % 3]); n++)
        ;
}
END_TEST

static void set_up(void)
{
    disk = hf_simfs_new();
    hf_simfs_mkdir(disk, "/etc/containerd", 0755);
}

static void tear_down(void)
{
    hf_simfs_free(disk);
    disk = NULL;
}

static void cases(TCase *tc)
{
    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_add_test(tc, gives_and_takes);
    tcase_add_test(tc, follows_the_place);
    tcase_add_loop_test(tc, leaves_others_alone, 0, 3);
    tcase_add_test(tc, keeps_what_became_a_persons);
    tcase_add_test(tc, counts_what_is_done);
    tcase_add_loop_test(tc, survives, 0, 9);
}

HF_TEST_MAIN("mirror/hosts", cases)
