#!/bin/sh
# PostgreSQL's files as they were at a moment (docs/operations.md, "Back to a moment"). Run as the user that
# PostgreSQL runs as, on one machine, while Patroni runs on none:
#
#   restore-to.sh BASE ARCHIVE DATA 'YYYY-MM-DD HH:MM:SS+00' [DATABASE]
#
# BASE: what pg_basebackup made. ARCHIVE: the folder that pg_receivewal writes to. DATA: the folder to make, which
# must not be there. DATABASE: Duka's, `duka` unless said; it is marked, so that the first server that starts on it
# asks every terminal what it did since. PostgreSQL's programs are found by PATH. It ends with 0 when DATA is whole
# and stands still.
set -eu

refuse() {
    echo "restore-to: $1" >&2
    exit 1
}

[ $# -eq 4 ] || [ $# -eq 5 ] || refuse "give BASE ARCHIVE DATA 'YYYY-MM-DD HH:MM:SS+00' [DATABASE]"
base=$(realpath "$1") archive=$(realpath "$2") data=$3 moment=$4 database=${5:-duka}
[ -d "$archive" ] || refuse "$archive is no folder"
[ ! -e "$data" ] || refuse "$data is there: move it away first, nothing is written over"
case $archive$moment in *\'*) refuse "no quotes in names or times" ;; esac

pg_verifybackup --quiet --no-parse-wal "$base" || refuse "$base is damaged or no base back-up: take an older one"
# PostgreSQL would take a moment before the base back-up, and give the base back-up's own.
wanted_s=$(date -u -d "$moment" +%s) || refuse "'$moment' is no time: YYYY-MM-DD HH:MM:SS+00"
begun=$(TZ=UTC LC_ALL=C pg_controldata "$base" | sed -n 's/^Time of latest checkpoint: *//p')
[ "$wanted_s" -ge "$(date -u -d "$begun" +%s)" ] || refuse "$base was begun at $begun UTC: take an older one"
mkdir -m 700 "$data"
cp -a "$base/." "$data/"
data=$(realpath "$data")
chmod 700 "$data"
rm -f "$data/standby.signal" "$data/postmaster.pid"
touch "$data/recovery.signal"
kept=$data/postgresql.auto.conf
cp "$kept" "$data/before-restore.conf"
# The last file of the archive is still being written to, and has another name.
cat >>"$kept" <<SETTINGS
restore_command = 'cp "$archive/%f" "%p" 2>/dev/null || cp "$archive/%f.partial" "%p" 2>/dev/null'
recovery_target_time = '$moment'
recovery_target_action = 'promote'
recovery_target_timeline = 'latest'
primary_conninfo = ''
primary_slot_name = ''
SETTINGS

# Nobody reaches it (pg_hba has nobody who comes by a socket), and it waits for no standby.
alone="-c hba_file='$data/pg_hba.conf' -c ident_file='$data/pg_ident.conf' -c listen_addresses='' -c unix_socket_directories='$data'"
alone="$alone -c synchronous_standby_names='' -c archive_mode=off"
end() {
    pg_ctl stop -D "$data" -m "$1" -s >/dev/null 2>&1 || true
}
trap 'end immediate' EXIT
lost() {
    tail -n 5 "$data/restore-to.log" >&2
    refuse "that moment is not in the back-up and its archive; $data is of no use"
}
pg_ctl start -D "$data" -w -t 604800 -s -l "$data/restore-to.log" -o "$alone" || lost
while [ -e "$data/recovery.signal" ]; do
    pg_ctl status -D "$data" >/dev/null || lost
    sleep 1
done
until pg_controldata "$data" | grep -q '^Database cluster state: *in production'; do
    pg_ctl status -D "$data" >/dev/null || lost
    sleep 1
done
trap - EXIT
pg_ctl stop -D "$data" -m fast -s
# A server counts on each minute; a state that is younger than that would not show by itself.
marked="UPDATE duka.server_mark SET value = '-1' WHERE name = 'count' RETURNING value"
echo "$marked" | postgres --single -D "$data" -c hba_file="$data/pg_hba.conf" -c ident_file="$data/pg_ident.conf" \
    -c synchronous_standby_names= -c archive_mode=off "$database" 2>>"$data/restore-to.log" | grep -q '"-1"' ||
    refuse "$data: the books in $database could not be marked as restored; see $data/restore-to.log"
mv "$data/before-restore.conf" "$kept"
grep -o 'recovery stopping before commit .*\|last completed transaction was .*' "$data/restore-to.log" || true
echo "as of $moment: $data"
