//! Opening the database file, and bringing its schema up to date.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use sea_orm::sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sea_orm::sqlx::{ConnectOptions as _, Connection as _};
use sea_orm::{
    ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DatabaseTransaction, DbBackend,
    DbErr, EntityTrait, SqliteTransactionMode, Statement, TransactionOptions, TransactionTrait,
};
use sea_orm_migration::{MigratorTrait, SchemaManager, seaql_migrations};

use crate::error::StoreError;
use crate::migration::Migrator;

/// How a process shares the file with itself and with others.
#[derive(Clone, Copy, Debug)]
struct Sharing {
    /// Readers that work beside the writer: commands of one process, not users.
    max_connections: u32,
    /// Longer than any transaction of ours takes on a slow disk.
    busy_timeout: Duration,
}

const SHARING: Sharing = Sharing {
    max_connections: 4,
    busy_timeout: Duration::from_secs(10),
};

/// Between two tries to open a file that others hold.
const BETWEEN_TRIES: Duration = Duration::from_millis(20);

/// The database of one data folder. Cheap to clone; clones share their connections.
#[derive(Clone, Debug)]
pub struct Store {
    pub(crate) db: DatabaseConnection,
    path: PathBuf,
}

impl Store {
    /// Opens the database file, and makes it and its folder where they are missing.
    ///
    /// # Errors
    /// Every kind of [`StoreError`] but `Missing`; a file of a newer Auricle is left as it is.
    pub async fn open(path: &Path) -> Result<Self, StoreError> {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(|cause| cannot_open(path, &cause))?;
        }
        Self::connect(path, SHARING).await
    }

    /// Opens the database file if there is one.
    ///
    /// # Errors
    /// `Missing` where there is none, else as [`Self::open`].
    pub async fn open_existing(path: &Path) -> Result<Self, StoreError> {
        match path.try_exists() {
            Ok(true) => Self::connect(path, SHARING).await,
            Ok(false) => Err(StoreError::Missing {
                path: path.to_owned(),
            }),
            Err(cause) => Err(cannot_open(path, &cause)),
        }
    }

    /// Opens the database file, if there is one, only to read it: nothing is written to the file or
    /// its folder, and what needs a write fails.
    ///
    /// # Errors
    /// `Missing` where there is none, or where it was never made whole; `Newer`; else as the database
    /// gives them.
    pub async fn open_to_read(path: &Path) -> Result<Self, StoreError> {
        let missing = || StoreError::Missing {
            path: path.to_owned(),
        };
        if !path
            .try_exists()
            .map_err(|cause| cannot_open(path, &cause))?
        {
            return Err(missing());
        }
        let db = Database::connect(options_to_read(path)).await;
        let store = Self {
            db: db.map_err(|error| StoreError::from_db(path, error))?,
            path: path.to_owned(),
        };
        // A file of an older Auricle lacks changes, and holds calls all the same.
        match store.n_applied_changes().await? {
            0 => Err(missing()),
            _ => Ok(store),
        }
    }

    /// The database file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Reads every page of the file and compares indexes with tables.
    ///
    /// # Errors
    /// `Damaged` with SQLite's first finding.
    pub async fn check(&self) -> Result<(), StoreError> {
        let question = Statement::from_string(DbBackend::Sqlite, "PRAGMA integrity_check(1)");
        let rows = self
            .db
            .query_all_raw(question)
            .await
            .map_err(|error| self.error(error))?;
        let finding = rows
            .first()
            .and_then(|row| row.try_get_by_index::<String>(0).ok());
        match finding.as_deref() {
            Some("ok") => Ok(()),
            other => Err(self.damaged(other.unwrap_or("the integrity check gave no answer"))),
        }
    }

    /// Closes the file; what was saved is in it even without this.
    pub async fn close(self) -> Result<(), StoreError> {
        let path = self.path.clone();
        self.db
            .close()
            .await
            .map_err(|error| StoreError::from_db(&path, error))
    }

    /// A transaction that takes the write lock at once, so that it cannot fail half way for the lock.
    pub(crate) async fn begin(&self) -> Result<DatabaseTransaction, StoreError> {
        let options = TransactionOptions {
            sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
            ..TransactionOptions::default()
        };
        let transaction = self.db.begin_with_options(options).await;
        transaction.map_err(|error| self.error(error))
    }

    pub(crate) fn error(&self, error: DbErr) -> StoreError {
        StoreError::from_db(&self.path, error)
    }

    pub(crate) fn damaged(&self, detail: impl Into<String>) -> StoreError {
        StoreError::Damaged {
            path: self.path.clone(),
            detail: detail.into(),
        }
    }

    async fn connect(path: &Path, sharing: Sharing) -> Result<Self, StoreError> {
        let store = Self {
            db: connection(path, sharing).await?,
            path: path.to_owned(),
        };
        store.migrate().await?;
        Ok(store)
    }

    /// Applies the changes that the file lacks. Does not write where it lacks none.
    async fn migrate(&self) -> Result<(), StoreError> {
        if self.n_applied_changes().await? == Migrator::get_migration_files().len() {
            return Ok(());
        }
        let _lock = lock_beside(&self.path).await?;
        Migrator::up(&self.db, None)
            .await
            .map_err(|error| self.error(error))
    }

    async fn n_applied_changes(&self) -> Result<usize, StoreError> {
        let known = Migrator::get_migration_files();
        let rows = applied_changes(&self.db)
            .await
            .map_err(|error| self.error(error))?;
        let is_known = |name: &String| known.iter().any(|change| change.name() == name.as_str());
        if let Some(change) = rows.iter().find(|name| !is_known(name)) {
            return Err(StoreError::Newer {
                path: self.path.clone(),
                change: change.clone(),
            });
        }
        Ok(rows.len())
    }
}

/// Opens the file, again and again while others hold it: where several make it at once, SQLite does not wait for the one
/// that puts it into write-ahead mode, whatever its time limit.
async fn connection(path: &Path, sharing: Sharing) -> Result<DatabaseConnection, StoreError> {
    let give_up = Instant::now() + sharing.busy_timeout;
    loop {
        let opened = Database::connect(options(path, sharing)).await;
        match opened.map_err(|error| StoreError::from_db(path, error)) {
            Err(StoreError::Locked { .. }) if Instant::now() < give_up => {
                tokio::time::sleep(BETWEEN_TRIES).await;
            }
            opened => return opened,
        }
    }
}

/// Waits until no other process changes the schema. On a thread of its own: the one that has the lock
/// may need this one to go on.
async fn lock_beside(path: &Path) -> Result<File, StoreError> {
    let lock_path = path.with_extension("lock");
    let take = {
        let lock_path = lock_path.clone();
        move || File::create(lock_path).and_then(|file| file.lock().map(|()| file))
    };
    let taken = tokio::task::spawn_blocking(take).await;
    let taken = taken.unwrap_or_else(|cause| Err(std::io::Error::other(cause)));
    taken.map_err(|cause| cannot_open(&lock_path, &cause))
}

/// Names of the changes in the file; none where it has no list of them yet. Writes nothing.
async fn applied_changes(db: &DatabaseConnection) -> Result<Vec<String>, DbErr> {
    let list = Migrator::migration_table_name().to_string();
    if !SchemaManager::new(db).has_table(list).await? {
        return Ok(Vec::new());
    }
    let rows = seaql_migrations::Entity::find().all(db).await?;
    Ok(rows.into_iter().map(|row| row.version).collect())
}

fn options(path: &Path, sharing: Sharing) -> ConnectOptions {
    // The path goes in as a path: in the address, `?`, `#` and `%` of folder names would have a meaning.
    let file = path.to_owned();
    let mut options = ConnectOptions::new("sqlite::memory:");
    options
        .max_connections(sharing.max_connections)
        .acquire_timeout(SHARING.busy_timeout + sharing.busy_timeout)
        .map_sqlx_sqlite_pool_opts(|pool| {
            // A disk that is full rolls a transaction back by itself, and a commit may fail: the connection would take the
            // next one for part of that, and hold the lock for ever.
            pool.after_release(|connection, _| {
                let is_free = !connection.is_in_transaction();
                Box::pin(async move { Ok(is_free) })
            })
        })
        .map_sqlx_sqlite_opts(move |_| {
            SqliteConnectOptions::new()
                .filename(&file)
                .create_if_missing(true)
                .journal_mode(SqliteJournalMode::Wal)
                .synchronous(SqliteSynchronous::Full)
                .busy_timeout(sharing.busy_timeout)
                .foreign_keys(true)
                // What is deleted or replaced is overwritten: people may ask to be forgotten.
                .pragma("secure_delete", "ON")
                .disable_statement_logging()
        });
    options
}

/// One connection that cannot write. SQLite makes files beside a database in write-ahead mode even to
/// read it; where no log lies there, nobody is writing, and it is told to read the one file alone.
fn options_to_read(path: &Path) -> ConnectOptions {
    let file = path.to_owned();
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    let has_log = fs::metadata(log).is_ok_and(|log| log.len() > 0);
    let mut options = ConnectOptions::new("sqlite::memory:");
    options.max_connections(1).map_sqlx_sqlite_opts(move |_| {
        SqliteConnectOptions::new()
            .filename(&file)
            .read_only(true)
            .immutable(!has_log)
            .busy_timeout(SHARING.busy_timeout)
            .disable_statement_logging()
    });
    options
}

fn cannot_open(path: &Path, cause: &std::io::Error) -> StoreError {
    StoreError::Open {
        path: path.to_owned(),
        cause: cause.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Fingerprints, Recording};
    use auricle_contracts::{CallId, CallMetadata, ChannelLayout, Transcript};

    /// One connection: what a pragma says of it holds for all that follows.
    const ALONE: Sharing = Sharing {
        max_connections: 1,
        busy_timeout: Duration::ZERO,
    };

    async fn run_sql(store: &Store, sql: &str) {
        store.db.execute_unprepared(sql).await.unwrap();
    }

    async fn save(store: &Store, name: &str, n_bytes: usize) -> Result<i64, StoreError> {
        let recording = Recording {
            call_id: CallId(name.into()),
            file: name.into(),
            path: name.into(),
            size_bytes: 1,
            legs: Vec::new(),
            lines: Vec::new(),
            keys_pressed: Vec::new(),
            metadata: CallMetadata::default(),
        };
        let transcript = Transcript {
            call_id: CallId(name.into()),
            file: name.into(),
            duration_ms: 1,
            engine: "e".into(),
            layout: ChannelLayout::Mono,
            metadata: CallMetadata::default(),
            warnings: vec!["w".repeat(n_bytes)],
            utterances: Vec::new(),
        };
        let prints = Fingerprints::default();
        store
            .save_done(
                None,
                &recording,
                &prints,
                &transcript,
                "2026-11-20T00:00:00Z",
            )
            .await
    }

    #[tokio::test]
    async fn a_change_from_the_future_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("auricle.db");
        let store = Store::open(&path).await.unwrap();
        run_sql(
            &store,
            "INSERT INTO seaql_migrations VALUES ('m20991231_000001_x', 0)",
        )
        .await;
        store.close().await.unwrap();
        let error = Store::open(&path).await.unwrap_err();
        assert!(matches!(&error, StoreError::Newer { change, .. } if change.contains("2099")));
        assert!(
            error.to_string().contains("hint: run the newer version"),
            "{error}"
        );
    }

    #[tokio::test]
    async fn a_full_disk_is_said_and_loses_nothing_before_it() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::connect(&folder.path().join("auricle.db"), ALONE)
            .await
            .unwrap();
        save(&store, "before", 10).await.unwrap();
        run_sql(&store, "PRAGMA max_page_count = 1").await; // SQLite raises this to the pages in use
        let error = save(&store, "after", 2_000_000).await.unwrap_err();
        assert!(matches!(error, StoreError::DiskFull { .. }), "{error:?}");
        assert!(
            store
                .transcript(&CallId("before".into()))
                .await
                .unwrap()
                .is_some()
        );
        assert!(store.call(&CallId("after".into())).await.unwrap().is_none());
        // There is room again.
        run_sql(&store, "PRAGMA max_page_count = 1000000").await;
        for id in ["after", "and another"] {
            save(&store, id, 2_000_000).await.unwrap();
        }
    }

    #[tokio::test]
    async fn a_lock_held_by_another_is_said() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("auricle.db");
        let other = Store::open(&path).await.unwrap();
        let held = other.begin().await.unwrap();
        let store = Store::connect(&path, ALONE).await.unwrap();
        let error = save(&store, "a", 1).await.unwrap_err();
        assert!(matches!(error, StoreError::Locked { .. }), "{error:?}");
        assert!(store.call(&CallId("a".into())).await.unwrap().is_none());
        held.commit().await.unwrap();
        save(&store, "a", 1).await.unwrap();
    }

    #[tokio::test]
    async fn a_file_that_takes_no_writes_is_said() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::connect(&folder.path().join("auricle.db"), ALONE)
            .await
            .unwrap();
        run_sql(&store, "PRAGMA query_only = 1").await;
        let error = save(&store, "a", 1).await.unwrap_err();
        assert!(matches!(error, StoreError::ReadOnly { .. }), "{error:?}");
    }

    #[tokio::test]
    async fn reading_leaves_the_folder_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("auricle.db");
        let error = Store::open_to_read(&path).await.unwrap_err();
        assert!(matches!(error, StoreError::Missing { .. }), "{error:?}");
        let store = Store::open(&path).await.unwrap();
        save(&store, "a", 1).await.unwrap();

        // While another has it open, with a log beside it.
        let reader = Store::open_to_read(&path).await.unwrap();
        let call = CallId("a".into());
        assert!(reader.call(&call).await.unwrap().is_some());
        assert!(save(&reader, "b", 1).await.is_err());
        reader.close().await.unwrap();
        store.close().await.unwrap();

        let names = || {
            let entries = fs::read_dir(folder.path()).unwrap();
            let mut names = entries
                .map(|entry| entry.unwrap().file_name())
                .collect::<Vec<_>>();
            names.sort();
            names
        };
        let before = names();
        let reader = Store::open_to_read(&path).await.unwrap();
        assert!(reader.call(&call).await.unwrap().is_some());
        assert!(save(&reader, "b", 1).await.is_err());
        assert_eq!(names(), before);
    }

    #[tokio::test]
    async fn changes_go_back_and_forth() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::connect(&folder.path().join("auricle.db"), ALONE)
            .await
            .unwrap();
        Migrator::down(&store.db, None).await.unwrap();
        assert!(save(&store, "a", 1).await.is_err());
        store.migrate().await.unwrap();
        save(&store, "a", 1).await.unwrap();
    }

    #[tokio::test]
    async fn calls_of_a_file_before_pressed_keys_have_none() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::connect(&folder.path().join("auricle.db"), ALONE)
            .await
            .unwrap();
        let call_id = CallId("a".into());
        save(&store, "a", 1).await.unwrap();
        Migrator::down(&store.db, Some(1)).await.unwrap();
        assert!(store.call(&call_id).await.is_err(), "the column is gone");
        store.migrate().await.unwrap();
        let call = store.call(&call_id).await.unwrap().unwrap();
        assert!(call.recording.keys_pressed.is_empty());
        assert!(store.transcript(&call_id).await.unwrap().is_some());
    }

    #[tokio::test]
    async fn confirmations_outlive_a_change_of_their_place() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::connect(&folder.path().join("auricle.db"), ALONE)
            .await
            .unwrap();
        let call_id = CallId("a".into());
        save(&store, "a", 1).await.unwrap();
        let insert = "INSERT INTO assessments (call_id, transcript_version, rules_fingerprint, made_at, \
            is_current, n_hits, encoding, body) VALUES ('a', 1, 'r1', 'now', TRUE, 0, 'json', '{}')";
        run_sql(&store, insert).await;
        let assessed_with = async || store.assessed_with(&call_id).await.unwrap().unwrap().1;
        assert_eq!(assessed_with().await, "r1");
        let current = store
            .stored_assessments(std::slice::from_ref(&call_id))
            .await;
        let confirmed = current.unwrap()[&call_id].confirmed("r2");
        store.save_encoded(&[&confirmed]).await.unwrap();
        assert_eq!(assessed_with().await, "r2");
        // As the release before had it, and back.
        Migrator::down(&store.db, Some(6)).await.unwrap();
        store.migrate().await.unwrap();
        assert_eq!(assessed_with().await, "r2");
        store.delete(std::slice::from_ref(&call_id)).await.unwrap();
        let left = store.db.query_one_raw(Statement::from_string(
            DbBackend::Sqlite,
            "SELECT COUNT(*) FROM confirmations",
        ));
        let left: i64 = left.await.unwrap().unwrap().try_get_by_index(0).unwrap();
        assert_eq!(left, 0);
    }

    #[tokio::test]
    async fn where_several_were_current_the_newest_stays() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::connect(&folder.path().join("auricle.db"), ALONE)
            .await
            .unwrap();
        save(&store, "a", 1).await.unwrap();
        Migrator::down(&store.db, Some(8)).await.unwrap();
        let insert = "INSERT INTO assessments (call_id, transcript_version, rules_fingerprint, made_at, \
            is_current, n_hits, encoding, body) VALUES ('a', 1, 'r', 'now', TRUE, 0, 'json', '{}')";
        run_sql(&store, insert).await;
        run_sql(&store, insert).await;
        store.migrate().await.unwrap();
        let versions = store.score_versions(&CallId("a".into())).await.unwrap();
        let current: Vec<_> = versions.iter().map(|version| version.is_current).collect();
        assert_eq!(current, [false, true]);
        let again = store.db.execute_unprepared(insert).await;
        assert!(again.is_err(), "the database sees to it");
    }
}
