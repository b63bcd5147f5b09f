//! What fingerprints of rules stand for.

use std::collections::HashMap;

use sea_orm::ActiveValue::Set;
use sea_orm::EntityTrait;
use sea_orm::sea_query::OnConflict;

use crate::entity::recipe;
use crate::error::StoreError;
use crate::open::Store;

impl Store {
    /// Keeps what fingerprints stand for: pairs of a fingerprint and a text that the store does not look into. Those
    /// it has stay as they are.
    ///
    /// # Errors
    /// As the database gives them.
    pub async fn save_recipes(&self, recipes: &[(String, String)]) -> Result<(), StoreError> {
        if recipes.is_empty() {
            return Ok(());
        }
        let rows = recipes
            .iter()
            .map(|(fingerprint, body)| recipe::ActiveModel {
                fingerprint: Set(fingerprint.clone()),
                body: Set(body.clone()),
            });
        let known = OnConflict::column(recipe::Column::Fingerprint)
            .do_nothing()
            .to_owned();
        let insert = recipe::Entity::insert_many(rows).on_conflict(known);
        let inserted = insert.exec_without_returning(&self.db).await;
        inserted.map_err(|error| self.error(error))?;
        Ok(())
    }

    /// What all fingerprints stand for, by fingerprint.
    ///
    /// # Errors
    /// As the database gives them.
    pub async fn recipes(&self) -> Result<HashMap<String, String>, StoreError> {
        let rows = recipe::Entity::find().all(&self.db).await;
        let rows = rows.map_err(|error| self.error(error))?;
        let pairs = rows.into_iter().map(|row| (row.fingerprint, row.body));
        Ok(pairs.collect())
    }
}
