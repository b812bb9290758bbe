CREATEE )rder_status AS ENUM ('newNUM ('new'EATE FUNFIECL DATE FR* interval 'Ã½ã; END $;
