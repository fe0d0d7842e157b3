/* SPDX-License-Identifier: Apache-2.0 */
/* Somebody changes installed trees again and again, while versions come, updates fail and the power goes.
 *
 * Always, after a look for drift: what is installed is content that a signed release has, its mode and owner are those
 * of the archive, and the service runs it. The whole tree is compared with the one that the archive makes, because a
 * file more is a change too. A rollback never brings a changed tree back. */
#include "support/check_main.h"
#include "support/fakes/simupdate.h"
#include "support/walk.h"

#define LINK "/opt/app/current"
#define APP LINK "/bin/app"

static struct hf_simupdate *w;
static uint64_t state;
static uint64_t sequence;

static uint64_t draw(uint64_t below)
{
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (state >> 33) % below;
}

static const char *in_tree(const char *name)
{
    static char path[512];
    const char *link = hf_simfs_link_text(w->fs, LINK);

    (void)snprintf(path, sizeof(path), "/opt/app/%s%s%s", link != NULL ? link : "nowhere", name[0] != '\0' ? "/" : "",
                   name);
    return path;
}

/* ---- what must hold ---------------------------------------------------------------------------------------------- */

struct seen {
    char text[2048];
    size_t n;
};

static void add(void *arg, const char *path, const struct stat *st)
{
    struct seen *seen = arg;
    const char *name = strstr(path, ".holdfast-app.tree/");

    name = name != NULL ? strchr(name + strlen(".holdfast-app.tree/"), '/') : NULL;
    if (name != NULL)
        seen->n += (size_t)snprintf(seen->text + seen->n, sizeof(seen->text) - seen->n, "%s %o %u\n", name,
                                    (unsigned)st->st_mode, (unsigned)st->st_uid);
}

static const char tree_as_signed[] = "/bin 40755 0\n"
                                     "/bin/app 100755 0\n"
                                     "/bin/link 120777 0\n"
                                     "/bin/twin 100755 0\n"
                                     "/share 40755 0\n"
                                     "/share/deep 40755 0\n"
                                     "/share/deep/note 100644 0\n";

static void expect_signed(uint64_t seed, unsigned step)
{
    struct seen seen = {.n = 0};
    const char *is = hf_simupdate_target(w, APP);
    size_t n = 0;
    const char *note = hf_simfs_get(w->fs, in_tree("share/deep/note"), &n);

    hf_simfs_walk(w->fs, in_tree(""), add, &seen);
    struct hf_sim_seen status = hf_simupdate_see(w, "app");
    if (strcmp(seen.text, tree_as_signed) != 0 || strcmp(is, "stray") == 0 || strcmp(is, "torn") == 0 || n != 6 ||
        memcmp(note, "hello\n", 6) != 0) {
        hf_simfs_trace(w->fs, stderr);
        ck_abort_msg("seed %d, step %u: %s %s (%s), target %s, tree:\n%s", (int)seed, step, hf_phase_name(status.phase),
                     status.reason, status.message, is, seen.text);
    }
    if (status.phase == HF_PHASE_COMMITTED)
        ck_assert_msg(strcmp(w->running, is) == 0 && strcmp(is, status.version) == 0,
                      "seed %d, step %u: runs %s, installed %s, committed %s", (int)seed, step, w->running, is,
                      status.version);
}

/* ---- events ------------------------------------------------------------------------------------------------------ */

static void put(const char *name, const char *content)
{
    size_t n;
    const void *bytes = hf_sim_content(content, &n);

    hf_simfs_put(w->fs, in_tree(name), bytes, n, 0755);
}

static void tamper(void)
{
    static const char *const names[] = {"bin/app", "bin/twin", "share/deep/note", "bin/link"};
    const char *name = names[draw(HF_LEN(names))];
    uint64_t kind = draw(7);
    struct stat st;

    if (!hf_simfs_stat(w->fs, in_tree("bin/app"), &st) || !S_ISREG(st.st_mode) ||
        !hf_simfs_stat(w->fs, in_tree("share/deep"), &st)) /* changed already */
        return;
    switch (kind) {
    case 0:
        hf_simfs_delete(w->fs, in_tree(name));
        break;
    case 1:
        put("bin/more", "stray");
        break;
    case 2:
        hf_simfs_chmod(w->fs, in_tree("bin/app"), 04777);
        break;
    case 3:
        hf_simfs_chown(w->fs, in_tree("share/deep"), 1000, 1000);
        break;
    case 4:
        hf_simfs_delete(w->fs, in_tree(name));
        hf_simfs_symlink(w->fs, in_tree(name), "/etc/passwd");
        break;
    case 5:
        hf_simfs_delete(w->fs, LINK);
        break;
    default:
        put("bin/app", "stray");
        break;
    }
}

static void publish(void)
{
    static const char *const contents[] = {"v1", "v2", "v3", "broken"};

    hf_simupdate_publish(w, &(struct hf_sim_release){.content = contents[draw(HF_LEN(contents))],
                                                     .tree = true,
                                                     .canonical = draw(2) == 0,
                                                     .sequence = ++sequence});
    if (draw(2) == 0)
        ck_assert(hf_simupdate_settle(w));
}

static void cut(void)
{
    hf_simfs_stop_at(w->fs, 1 + draw(300));
    hf_simupdate_look(w);
    hf_simupdate_run_for(w, 120 * HF_NS_PER_S);
    hf_simupdate_power_cut(w, state);
    hf_simfs_stop_at(w->fs, 0);
    hf_simupdate_boot(w);
}

static void look(void)
{
    for (unsigned i = 0; i < 3; i++) { /* repairs have a back-off of some hours */
        hf_simupdate_run_for(w, 9 * 3600 * HF_NS_PER_S);
        hf_simupdate_look(w);
        hf_simupdate_run_for(w, 600 * HF_NS_PER_S);
        ck_assert(hf_simupdate_settle(w));
    }
}

/* A release that was rolled back is not looked at any more: publish one that holds. */
static void install_good(void)
{
    ck_assert(hf_simupdate_settle(w));
    if (hf_simupdate_see(w, "app").phase == HF_PHASE_COMMITTED)
        return;
    hf_simupdate_publish(w, &(struct hf_sim_release){.content = "v3", .tree = true, .sequence = ++sequence});
    ck_assert(hf_simupdate_settle(w));
}

START_TEST(years_of_tampering)
{
    uint64_t seed = (uint64_t)_i + 1;

    state = seed;
    sequence = 2;
    w = hf_simupdate_new(seed);
    hf_simupdate_publish(w, &(struct hf_sim_release){.content = "v1", .tree = true, .sequence = sequence});
    hf_simupdate_boot(w);
    ck_assert(hf_simupdate_settle(w));
    for (unsigned step = 0; step < 12; step++) {
        switch (draw(4)) {
        case 0:
            publish();
            break;
        case 1:
            cut();
            break;
        default:
            tamper();
            break;
        }
        if (draw(2) == 0)
            continue;
        install_good();
        look();
        expect_signed(seed, step);
    }
    install_good();
    look();
    expect_signed(seed, 99);
    ck_assert_ptr_null(hf_simupdate_leftover(w));
    hf_simupdate_free(w);
}
END_TEST

static void cases(TCase *tc)
{
    hf_walk_add_loop_test(tc, years_of_tampering, 60);
}

HF_TEST_MAIN_CPU("update/tamper", cases, 300)
