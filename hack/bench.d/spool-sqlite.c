/* SPDX-License-Identifier: Apache-2.0 */
/* What SQLite can do of the same: WAL, synchronous = FULL, one transaction per batch, what was delivered deleted now and then.
 *
 *     spool-sqlite DIR BATCH MILLISECONDS        prints {"records": N, "wall_ns": N, "cpu_ns": N}
 *
 * hack/bench.d/spool builds and runs it where libsqlite3-dev is installed. */
#include <sqlite3.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

enum { RECORD = 224, KEPT = 8192, DELETED_AT_ONCE = 2048 };

static uint64_t mono_ns(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static uint64_t cpu_ns(void)
{
    struct rusage usage;

    (void)getrusage(RUSAGE_SELF, &usage);
    return ((uint64_t)usage.ru_utime.tv_sec + (uint64_t)usage.ru_stime.tv_sec) * 1000000000u +
           ((uint64_t)usage.ru_utime.tv_usec + (uint64_t)usage.ru_stime.tv_usec) * 1000u;
}

static void check(sqlite3 *db, int r)
{
    if (r != SQLITE_OK && r != SQLITE_DONE && r != SQLITE_ROW) {
        (void)fprintf(stderr, "sqlite: %s\n", sqlite3_errmsg(db));
        exit(1);
    }
}

static void step(sqlite3 *db, sqlite3_stmt *statement)
{
    check(db, sqlite3_step(statement));
    check(db, sqlite3_reset(statement));
}

int main(int argc, char **argv)
{
    sqlite3_stmt *begin, *insert, *commit, *remove_old;
    char path[512], record[RECORD];
    uint64_t records = 0;
    sqlite3 *db;

    if (argc != 4)
        return 2;
    int batch = atoi(argv[2]);
    uint64_t ns = strtoull(argv[3], NULL, 10) * 1000000u;
    (void)snprintf(path, sizeof(path), "%s/sqlite.db", argv[1]);
    check(NULL, sqlite3_open(path, &db));
    check(db, sqlite3_exec(db,
                           "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
                           "CREATE TABLE IF NOT EXISTS q(id INTEGER PRIMARY KEY, t INTEGER, tag INTEGER, p BLOB)",
                           NULL, NULL, NULL));
    check(db, sqlite3_prepare_v2(db, "BEGIN IMMEDIATE", -1, &begin, NULL));
    check(db, sqlite3_prepare_v2(db, "COMMIT", -1, &commit, NULL));
    check(db, sqlite3_prepare_v2(db, "INSERT INTO q(t, tag, p) VALUES(?1, 1, ?2)", -1, &insert, NULL));
    check(db,
          sqlite3_prepare_v2(db, "DELETE FROM q WHERE id <= (SELECT min(id) FROM q) + ?1 - 1", -1, &remove_old, NULL));
    uint64_t began = mono_ns(), cpu = cpu_ns(), waiting = 0;
    while (mono_ns() - began < ns) {
        step(db, begin);
        for (int i = 0; i < batch; i++) {
            memset(record, (int)(records + (uint64_t)i), sizeof(record));
            check(db, sqlite3_bind_int64(insert, 1, (sqlite3_int64)records));
            check(db, sqlite3_bind_blob(insert, 2, record, sizeof(record), SQLITE_STATIC));
            step(db, insert);
        }
        step(db, commit);
        records += (uint64_t)batch;
        waiting += (uint64_t)batch;
        while (waiting > KEPT + DELETED_AT_ONCE) {
            check(db, sqlite3_bind_int64(remove_old, 1, DELETED_AT_ONCE));
            step(db, remove_old);
            waiting -= DELETED_AT_ONCE;
        }
    }
    (void)printf("{\"records\": %llu, \"wall_ns\": %llu, \"cpu_ns\": %llu}\n", (unsigned long long)records,
                 (unsigned long long)(mono_ns() - began), (unsigned long long)(cpu_ns() - cpu));
    return 0;
}
