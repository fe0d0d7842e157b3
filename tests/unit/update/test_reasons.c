/* SPDX-License-Identifier: Apache-2.0 */
/* What the log says of an update that fails. */
#include <errno.h>
#include <unistd.h>

#include "loop/sched.h"
#include "os/clock_posix.h"
#include "support/check_main.h"
#include "support/fakes/simupdate.h"

/* With --log-level warning. */
static const struct {
    const char *name;
    struct hf_sim_release release;
    int status;                         /* of the artifact server; 0: 200 */
    const char *level, *phase, *reason; /* NULL: no log line */
} failures[] = {
    {"rolled back", {.content = "broken"}, 0, "error", "RolledBack", "HealthDeadline"},
    {"sequence", {.content = "v2", .sequence = 1}, 0, "error", "Rejected", "SequenceTooLow"},
    {"path", {.content = "v2", .sequence = 3, .path = "/etc/passwd"}, 0, "error", "Rejected", "PathNotAllowed"},
    {"unsigned", {.content = "v2", .sequence = 3, .sign_with = ""}, 0, "error", "Rejected", "Unsigned"},
    {"HTTP 404", {.content = "v2", .sequence = 3}, 404, "warning", "Waiting", "DownloadRefused"},
    {"misfit", {.content = "v2", .sequence = 3}, -1, "warning", "Incompatible", "RequirementsNotMet"},
    {"all is well", {.content = "v2", .sequence = 3}, 0, NULL, NULL, NULL},
};

static size_t read_log(int fd, char *text, size_t n)
{
    ssize_t got = pread(fd, text, n - 1, 0);

    ck_assert_int_ge(got, 0);
    text[got] = '\0';
    return (size_t)got;
}

START_TEST(failures_are_told)
{
    struct hf_simupdate *w = hf_simupdate_new(0);
    char path[] = "/tmp/holdfast-log-XXXXXX", text[8192], want[200];
    int fd = mkstemp(path);

    ck_assert_int_ge(fd, 0);
    (void)unlink(path);
    w->log = hf_log_new(fd, HF_LOG_WARNING, hf_clock_posix());
    hf_simupdate_put_old(w, "v1");
    hf_simupdate_publish(w, &(struct hf_sim_release){.content = "v3"});
    hf_simupdate_boot(w);
    ck_assert(hf_simupdate_settle(w));
    ck_assert_uint_eq(read_log(fd, text, sizeof(text)), 0);
    w->answer.status = failures[_i].status > 0 ? failures[_i].status : 0;
    w->meets_r = failures[_i].status < 0 ? -EOPNOTSUPP : 0;
    hf_simupdate_serve(w);
    struct hf_sim_release release = failures[_i].release;
    release.sequence = release.sequence != 0 ? release.sequence : 3;
    hf_simupdate_publish(w, &release);
    hf_simupdate_run_for(w, 10 * 60 * HF_NS_PER_S);
    (void)read_log(fd, text, sizeof(text));
    if (failures[_i].level == NULL) {
        ck_assert_msg(text[0] == '\0', "%s: %s", failures[_i].name, text);
    } else {
        (void)snprintf(want, sizeof(want),
                       "\"level\":\"%s\",\"event\":\"update.phase\",\"release\":\"app\",\"phase\":\"%s\"",
                       failures[_i].level, failures[_i].phase);
        ck_assert_msg(strstr(text, want) != NULL, "%s: no %s in: %s", failures[_i].name, want, text);
        ck_assert_msg(strstr(text, failures[_i].reason) != NULL, "%s: %s", failures[_i].name, text);
    }
    struct hf_log *log = w->log;
    hf_simupdate_free(w);
    hf_log_free(log);
    (void)close(fd);
}
END_TEST

static void all(TCase *tc)
{
    tcase_add_loop_test(tc, failures_are_told, 0, (int)HF_LEN(failures));
}

HF_TEST_MAIN("update/reasons", all)
