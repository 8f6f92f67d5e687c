// bootstrap: delete
